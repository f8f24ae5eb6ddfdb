"""How long a context a model was trained on."""

from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from nacrith.models import catalog
from predictors.base import ModelError


def trained_positions(given: Path | None) -> int | None:
    """Positions that a GGUF says it was trained on; None if it can't be read or does not say.

    Args:
        given: the model that the user named, if any; else the default one.
    """
    with suppress(OSError):
        if path := given or catalog.default_path():
            status = path.stat()
            return _read(path, status.st_size, status.st_mtime_ns)
    return None


@lru_cache(maxsize=4)
def _read(path: Path, size: int, changed: int) -> int | None:
    """The model of `path`, which was changed then."""
    # Takes 0.1 s, half of it this import.
    from predictors.language_models.gguf_reader import GgufReader

    with suppress(ModelError):
        reader = GgufReader(path)
        architecture = reader.scalar("general.architecture")
        return int(reader.scalar(f"{architecture}.context_length"))
    return None
