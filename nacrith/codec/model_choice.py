"""The codec for text with the model that a user names, or that a file asks for."""

from pathlib import Path

from nacrith.backends import GPU_BACKEND
from nacrith.codec.loaded_models import LoadedModels, load_model
from nacrith.codec.stream_choice import ONE_STREAM, Cutting
from nacrith.codec.text_codec import TextCodec
from nacrith.errors import ModelMismatchError, UnsupportedError
from nacrith.format.header import ModelRecord
from nacrith.format.parameters import Parameters
from nacrith.models.catalog import ModelFile, default_model, describe, model_for
from nacrith.models.corrections import CorrectionChoice, corrected, corrected_as
from nacrith.system.devices import CPU
from predictors.base import LanguageModel
from predictors.language_models.numerics import available_threads
from predictors.language_models.versions import VERSION, is_known


def codec_for_compression(
    model: Path | None,
    backend: str,
    threads: int,
    parameters: Parameters,
    cutting: Cutting = ONE_STREAM,
    least_saving: int | None = None,
    models: LoadedModels | None = None,
    dictionary: bytes = b"",
    correction: CorrectionChoice = None,
    device: str = CPU,
) -> TextCodec:
    """Open the model the user named, or the default one.

    Args:
        model: path of a GGUF file; None = the default model.
        cutting, least_saving, dictionary: see `TextCodec`.
        models: are kept for several codecs, and have a device of their own.
        device: see `load_model`.

    Raises:
        NacrithError: the model or the correction can't be used.
    """
    file = corrected(describe(model) if model else default_model(), correction)
    loaded = _load(models, device, backend, file, threads)
    is_shared = models is not None
    return TextCodec(loaded, file, parameters, cutting, least_saving, is_shared, dictionary)


def codec_for_file(
    record: ModelRecord,
    parameters: Parameters,
    model: Path | None,
    models: LoadedModels | None = None,
    dictionary: bytes = b"",
    correction: CorrectionChoice = None,
    device: str = CPU,
) -> TextCodec:
    """Open the model that a file's header asks for.

    Args:
        model: path of a GGUF file; None = find the one that the header names.
        models, device: see `codec_for_compression`.

    Raises:
        ModelNotFoundError, ModelMismatchError: this machine can't give the
            logits that the file was made with.
        UnsupportedError: the file was made with another version of the exact backend.
    """
    numerics = record.numerics
    file = model_for(record.name, record.sha256, model)
    file = corrected_as(file, record.correction, correction)
    if numerics.is_exact and not is_known(numerics.version, bool(record.correction)):
        raise UnsupportedError(
            f"this file was made with version {numerics.version} of the exact backend, this "
            f"version of nacrith has {VERSION} and older ones; install a newer version"
        )
    # The number of threads has not been seen to change a bit; more of them than
    # CPUs would wait for each other.
    threads = 0
    if not numerics.is_exact:
        threads = min(numerics.threads, available_threads())
    backend = numerics.backend
    if backend == "llama.cpp" and numerics.device:
        backend = GPU_BACKEND
    version = numerics.version if numerics.is_exact else VERSION
    loaded = _load(models, device, backend, file, threads, version)
    is_shared = models is not None
    codec = TextCodec(loaded, file, parameters, is_shared=is_shared, dictionary=dictionary)
    if codec.record.probe != record.probe:
        here = codec.record.numerics
        differences = numerics.differences(here)
        found = "; ".join(differences) or "nothing that is recorded, so perhaps the processor"
        codec.close()
        raise ModelMismatchError(
            "this machine computes other model outputs than the one that made the file, "
            f"so it can't be opened here. What differs: {found}. Decompress it with: "
            f"{numerics}"
        )
    return codec


def _load(
    models: LoadedModels | None,
    device: str,
    backend: str,
    file: ModelFile,
    threads: int,
    version: str = VERSION,
) -> LanguageModel:
    if models:
        return models.load(backend, file.path, threads, file.correction, version)
    return load_model(backend, file.path, threads, file.correction, device, version)
