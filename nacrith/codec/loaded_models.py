"""Language models: loaded by the name of a backend, and kept where several codecs share them."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from coder import ScoreError
from nacrith.backends import AUTO, EXACT, find_backend
from nacrith.errors import NacrithError
from predictors.base import LanguageModel, ModelError, UnsupportedModelError


@contextmanager
def translated() -> Iterator[None]:
    """Turn what the predictors raise into errors of this package."""
    try:
        yield
    except (ModelError, ScoreError) as error:
        raise NacrithError(str(error)) from error


def load_model(backend: str, path: Path, threads: int) -> LanguageModel:
    """Load a GGUF with a backend; raises NacrithError if that can't be done."""
    *first, last = AUTO if backend == "auto" else (backend,)
    with translated():
        for name in first:
            with suppress(UnsupportedModelError):
                return find_backend(name).load(path, threads)
        return find_backend(last).load(path, threads)


class LoadedModels:
    """Models that stay loaded until `close`."""

    def __init__(self, threads: int = 0) -> None:
        """`threads`: of a model whose results do not depend on them, whoever asks for it."""
        self._threads = threads
        self._models: dict[tuple[str, Path, int], LanguageModel] = {}

    def load(self, backend: str, path: Path, threads: int) -> LanguageModel:
        """See `load_model`; the model is not to be closed."""

        def key(name: str) -> tuple[str, Path, int]:
            return name, path, self._threads if name == EXACT else threads

        for name in AUTO if backend == "auto" else (backend,):
            if key(name) in self._models:
                return self._models[key(name)]
        model = load_model(backend, path, self._threads if backend in ("auto", EXACT) else threads)
        self._models[key(model.numerics.backend if backend == "auto" else backend)] = model
        return model

    def close(self) -> None:
        for model in self._models.values():
            model.close()
        self._models.clear()
