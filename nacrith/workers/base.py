"""What the pipeline asks of workers."""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from nacrith.frame import Frame
from nacrith.header import ModelRecord
from nacrith.text_codec import TextCodec

OpenCodec = Callable[[], TextCodec]
"""Opens the model; can be pickled."""


class Workers(Protocol):
    """Runs groups. Results come in the order of the groups."""

    def record(self, open_codec: OpenCodec) -> ModelRecord:
        """What a header says of the model."""
        ...

    def encode(self, open_codec: OpenCodec | None, blocks: Iterable[bytes]) -> Iterator[Frame]:
        """Encode blocks; reads no further ahead than it has workers for."""
        ...

    def decode(self, open_codec: OpenCodec | None, frames: Iterable[Frame]) -> Iterator[bytes]:
        """Decode frames; the codec is only opened for frames with text."""
        ...

    def close(self) -> None:
        """Let go of models and processes; the workers can't be used again."""
        ...
