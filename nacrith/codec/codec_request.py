"""Which codec a frame needs: can be compared, and sent to another process."""

from dataclasses import dataclass
from pathlib import Path

from nacrith.codec.stream_choice import Cutting
from nacrith.codec.text_codec import TextCodec
from nacrith.codec.text_mixing import TextMixing
from nacrith.format.frame import Frame, Kind
from nacrith.format.header import ModelRecord
from nacrith.format.parameters import Parameters


@dataclass(frozen=True)
class CompressRequest:
    """The codec to compress with; see `TextCodec.for_compression`."""

    model: Path | None
    backend: str
    threads: int
    parameters: Parameters
    cutting: Cutting
    least_saving: int | None

    def open(self) -> TextCodec:
        return TextCodec.for_compression(
            self.model,
            self.backend,
            self.threads,
            self.parameters,
            self.cutting,
            self.least_saving,
        )


@dataclass(frozen=True)
class MixingRequest:
    """Compress without the model; see `TextMixing`."""

    variant: int

    def open(self) -> TextMixing:
        return TextMixing(self.variant)


@dataclass(frozen=True)
class DecompressRequest:
    """The codec that a file's header asks for; see `TextCodec.for_file`."""

    record: ModelRecord
    parameters: Parameters
    model: Path | None

    def open(self) -> TextCodec:
        return TextCodec.for_file(self.record, self.parameters, self.model)


CodecRequest = CompressRequest | MixingRequest | DecompressRequest
Codec = TextCodec | TextMixing


class CodecSlot:
    """Keeps one codec open: the next frame most likely needs it too."""

    def __init__(self) -> None:
        self._request: CodecRequest | None = None
        self._codec: Codec | None = None

    def open(self, request: CodecRequest | None) -> Codec | None:
        """The codec asked for, opened if it is not open already; None for None."""
        if request is None:
            return None
        if self._codec is None or request != self._request:
            self.close()
            self._codec, self._request = request.open(), request
        return self._codec

    def open_for(self, request: CodecRequest | None, frame: Frame) -> TextCodec | None:
        """The codec that decoding `frame` needs: none if it has no text for the model."""
        codec = self.open(request if frame.size_of(Kind.TEXT) else None)
        assert not isinstance(codec, TextMixing)
        return codec

    def close(self) -> None:
        if self._codec:
            self._codec.close()
        self._codec = self._request = None
