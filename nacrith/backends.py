"""The table of language-model backends: the command line, loading and the format read it."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from nacrith.errors import NacrithError
from nacrith.system.devices import CPU

if TYPE_CHECKING:
    from predictors.base import LanguageModel
    from predictors.language_models.correction.file_head import CorrectionFile


@dataclass(frozen=True)
class Backend:
    """A row of the table.

    Attributes:
        name: what a user types.
        number: in a file's record of the numerics; frozen. Rows that share it compute the
            same way, on other devices.
        recorded: the name that the record has for `number`.
        loader: module and function `(path, threads) -> LanguageModel`. The module is
            imported when a model is loaded.
        is_exact: does the loader take a correction too, and a version of the numerics? If not, it
            gets a GGUF in which the correction is merged.
        takes_device: does the loader take a PyTorch device too, as `device`?
    """

    name: str
    number: int
    recorded: str
    loader: str
    is_exact: bool = False
    takes_device: bool = False

    def load(
        self,
        path: Path,
        threads: int,
        correction: "CorrectionFile | None" = None,
        device: str = CPU,
        *,
        version: str,
    ) -> "LanguageModel":
        """Load a GGUF, its weights corrected.

        Args:
            device: for a loader that takes one: "cpu", "cuda" or "cuda:N".
            version: of the exact numerics.

        Raises:
            predictors.base.ModelError
        """
        module, _, function = self.loader.partition(":")
        load: Callable[..., LanguageModel] = getattr(import_module(module), function)
        if self.is_exact:
            named = {"device": device} if self.takes_device else {}
            return load(path, threads, correction, version=version, **named)
        if correction is None:
            return load(path, threads)
        from predictors.language_models.correction.merged_gguf import merged_gguf

        return load(merged_gguf(path, correction), threads)


_PLACE = "predictors.language_models."
TABLE = (
    Backend("exact", 2, "exact", _PLACE + "exact.model:load", is_exact=True),
    Backend("exact-torch", 2, "exact", _PLACE + "exact_torch.model:load", True, True),
    Backend("llama.cpp", 1, "llama.cpp", _PLACE + "llama_cpp:load"),
    Backend("llama.cpp-gpu", 1, "llama.cpp", _PLACE + "llama_cpp:load_on_gpu"),
    Backend("transformers", 3, "transformers", _PLACE + "transformers_lm:load"),
)

EXACT = "exact"
GPU_BACKEND = "llama.cpp-gpu"
ON_GPU = {"exact": "exact-torch"}
"""Backends that another row computes on a GPU, to the bit."""
AUTO = ("exact", "llama.cpp")
"""What the choice `auto` tries, until one runs the model."""
BACKENDS = ("auto", *(backend.name for backend in TABLE))
"""The names that a user can choose."""
NUMBERS = {backend.number: backend.recorded for backend in TABLE}
"""What the format calls them."""


def find_backend(name: str) -> Backend:
    """The row of a name; raises NacrithError if there is none."""
    for backend in TABLE:
        if backend.name == name:
            return backend
    raise NacrithError(
        f"this file needs the backend {name}, which this version of nacrith lacks; "
        "install a newer version"
    )
