"""Language models: loaded by the name of a backend, and kept where several codecs share them."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from coder import ScoreError
from nacrith.backends import AUTO, EXACT, ON_GPU, find_backend
from nacrith.errors import DeviceError, NacrithError
from nacrith.system.devices import CPU
from predictors.base import LanguageModel, ModelError, UnsupportedModelError
from predictors.language_models.correction.file_head import CorrectionFile
from predictors.language_models.versions import VERSION


@contextmanager
def translated() -> Iterator[None]:
    """Turn what the predictors raise into errors of this package."""
    try:
        yield
    except (ModelError, ScoreError) as error:
        raise NacrithError(str(error)) from error


def load_model(
    backend: str,
    path: Path,
    threads: int,
    correction: CorrectionFile | None = None,
    device: str = CPU,
    version: str = VERSION,
) -> LanguageModel:
    """Load a GGUF with a backend, corrected.

    Args:
        device: where a backend runs that can compute the same on a GPU: PyTorch's name of one.
        version: of the exact numerics.

    Raises:
        DeviceError: that GPU can't be used; the processor may do.
        NacrithError: the model can't be loaded.
    """
    *first, last = AUTO if backend == "auto" else (backend,)

    def load(name: str) -> LanguageModel:
        if device == CPU or name not in (*ON_GPU, *ON_GPU.values()):
            return find_backend(name).load(path, threads, correction, version=version)
        backend = find_backend(ON_GPU.get(name, name))
        try:
            return backend.load(path, threads, correction, device, version=version)
        except UnsupportedModelError:
            raise
        except Exception as error:
            # What PyTorch raises is of many kinds. Whatever is wrong with the model itself, the
            # processor finds too.
            raise DeviceError(first_line(error)) from error

    with translated():
        for name in first:
            with suppress(UnsupportedModelError):
                return load(name)
        return load(last)


def first_line(error: BaseException) -> str:
    """What an error says, without what it says at length."""
    return str(error).strip().partition("\n")[0] or type(error).__name__


_Key = tuple[str, Path, int, CorrectionFile | None, str]
"""Backend, GGUF, threads, correction, version of the exact numerics."""


class LoadedModels:
    """Models that stay loaded until `close`."""

    def __init__(self, threads: int = 0, device: str = CPU) -> None:
        """
        Args:
            threads: of a model whose results do not depend on them, whoever asks for it.
            device: see `load_model`.
        """
        self._threads = threads
        self._device = device
        self._models: dict[_Key, LanguageModel] = {}

    def load(
        self,
        backend: str,
        path: Path,
        threads: int,
        correction: CorrectionFile | None = None,
        version: str = VERSION,
    ) -> LanguageModel:
        """See `load_model`; the model is not to be closed."""

        def key(name: str) -> _Key:
            return name, path, self._threads if name == EXACT else threads, correction, version

        for name in AUTO if backend == "auto" else (backend,):
            if key(name) in self._models:
                return self._models[key(name)]
        threads_here = self._threads if backend in ("auto", EXACT) else threads
        model = load_model(backend, path, threads_here, correction, self._device, version)
        self._models[key(model.numerics.backend if backend == "auto" else backend)] = model
        return model

    def close(self) -> None:
        for model in self._models.values():
            model.close()
        self._models.clear()
