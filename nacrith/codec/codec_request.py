"""Which codec a frame needs: can be compared, and sent to another process."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from nacrith.backends import EXACT
from nacrith.codec.loaded_models import LoadedModels
from nacrith.codec.model_choice import codec_for_compression, codec_for_file
from nacrith.codec.stream_choice import Cutting
from nacrith.codec.text_codec import TextCodec
from nacrith.codec.text_mixing import TextMixing
from nacrith.format.header import ModelRecord
from nacrith.format.numerics import NumericsRecord
from nacrith.format.parameters import Parameters
from nacrith.models.catalog import ModelFile, default_path, describe, known_default
from nacrith.models.corrections import CorrectionChoice, corrected, short_name
from nacrith.system.devices import CPU
from nacrith.transforms.opening.limits import EVERYTHING, Inside
from predictors.language_models.versions import VERSION

Codec = TextCodec | TextMixing
"""What text is coded with."""

Opener = Callable[[], TextCodec]
"""Opens the model's codec, or returns it if it is open."""


@dataclass(frozen=True)
class CompressRequest:
    """The codec to compress with; see `codec_for_compression`.

    Attributes:
        inside: which streams in a block are opened.
    """

    model: Path | None
    backend: str
    threads: int
    parameters: Parameters
    cutting: Cutting
    least_saving: int | None
    dictionary: bytes = b""
    correction: CorrectionChoice = None
    inside: Inside = EVERYTHING

    def open(self, models: LoadedModels | None = None, device: str = CPU) -> TextCodec:
        return codec_for_compression(
            self.model,
            self.backend,
            self.threads,
            self.parameters,
            self.cutting,
            self.least_saving,
            models,
            self.dictionary,
            self.correction,
            device,
        )


@dataclass(frozen=True)
class MixingRequest:
    """Compress without the model; see `TextMixing`."""

    variant: int
    dictionary: bytes = b""
    inside: Inside = EVERYTHING

    def open(self, models: LoadedModels | None = None, device: str = CPU) -> TextMixing:
        return TextMixing(self.variant)


@dataclass(frozen=True)
class DecompressRequest:
    """The codec that a file's header asks for; see `codec_for_file`.

    Attributes:
        record: None = the header names no model, and this can't be opened.
    """

    record: ModelRecord | None
    parameters: Parameters
    model: Path | None
    dictionary: bytes = b""
    correction: CorrectionChoice = None

    def open(self, models: LoadedModels | None = None, device: str = CPU) -> TextCodec:
        assert self.record
        return codec_for_file(
            self.record,
            self.parameters,
            self.model,
            models,
            self.dictionary,
            self.correction,
            device,
        )


CodecRequest = CompressRequest | MixingRequest | DecompressRequest


def inside_of(request: CodecRequest | None) -> Inside:
    """Which streams in a block are opened."""
    if isinstance(request, (CompressRequest, MixingRequest)):
        return request.inside
    return EVERYTHING


def known_record(request: CodecRequest) -> ModelRecord | None:
    """What a header says of the default model, which is known without loading it; None of others.

    So binary data of several frames, whose header names a model all the same, needs none.

    Raises:
        NacrithError: the correction can't be used.
    """
    if not isinstance(request, CompressRequest) or request.model is not None:
        return None
    if request.backend not in ("auto", EXACT):
        return None
    known, path = known_default(), default_path()
    if path is not None and describe(path).sha256 != known.sha256:
        return None
    file = corrected(ModelFile(known.name, path or Path(), known.sha256), request.correction)
    numerics = NumericsRecord(EXACT, VERSION)
    return ModelRecord(file.name, file.sha256, numerics, 0, short_name(file.correction))
