"""How much memory a model takes, by the dimensions that its GGUF names."""

from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from nacrith.models import catalog
from predictors.base import ModelError

_LOGITS = 2
"""The results of one batch are read while the next one is evaluated."""

_SCALES = 12
"""Bytes of a key and a value in the cache beside their elements: a sum and two scales."""


@dataclass(frozen=True)
class ModelSize:
    """Bytes that parts of a model take in memory, with the exact backend.

    Attributes:
        weights: of all, eight bits each.
        position: of a position in the cache of a stream.
        row: of a token while it is evaluated.
        head: what the output head learns, if all of its rows have moved.
        head_row: of such a row.
    """

    weights: int
    position: int
    row: int
    head: int
    head_row: int

    @classmethod
    def of(
        cls,
        layers: int,
        width: int,
        heads: int,
        kv_heads: int,
        head_size: int,
        ffn: int,
        vocabulary: int,
    ) -> "ModelSize":
        """By the dimensions of `predictors.language_models.exact.shape.Shape`."""
        attention = 2 * width * (heads + kv_heads) * head_size
        # The embedding, and the output matrix, which lies in memory otherwise.
        weights = 2 * vocabulary * width + layers * (attention + 3 * width * ffn)
        floats = (
            _LOGITS * (vocabulary + width) + 4 * width + ffn + (heads + 2 * kv_heads) * head_size
        )
        return cls(
            weights=weights + (weights >> 6),
            position=layers * kv_heads * (2 * head_size + _SCALES),
            row=4 * floats,
            head=2 * vocabulary * width,
            head_row=2 * width,
        )


EMBEDDED = ModelSize.of(30, 576, 9, 3, 64, 1536, 49152)
"""SmolLM2-135M."""


def model_size(given: Path | None) -> ModelSize:
    """That of a GGUF; of one that can't be read, or does not say, that of the embedded model.

    Args:
        given: the model that the user named, if any; else the embedded one.
    """
    with suppress(OSError):
        if given and given != catalog.default_path():
            status = given.stat()
            return _read(given, status.st_size, status.st_mtime_ns)
    return EMBEDDED


@lru_cache(maxsize=4)
def _read(path: Path, size: int, changed: int) -> ModelSize:
    """The model of `path`, which was changed then."""
    from predictors.language_models.gguf_reader import GgufReader

    with suppress(ModelError, TypeError, ValueError, IndexError, ZeroDivisionError):
        reader = GgufReader(path)
        architecture = reader.scalar("general.architecture")

        def number(name: str, default: Any = None) -> int:
            return int(reader.scalar(f"{architecture}.{name}", default))

        width, heads = number("embedding_length"), number("attention.head_count")
        return ModelSize.of(
            number("block_count"),
            width,
            heads,
            number("attention.head_count_kv", heads),
            number("attention.key_length", width // heads),
            number("feed_forward_length"),
            int(reader.tensor("token_embd.weight").shape[1]),
        )
    return EMBEDDED
