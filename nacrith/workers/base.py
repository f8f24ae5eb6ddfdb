"""What the pipeline asks of workers."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from nacrith.codec.codec_request import CodecRequest
from nacrith.format.frame import Frame
from nacrith.format.header import ModelRecord


class Workers(Protocol):
    """Runs frames. Results come in the order of the frames."""

    def takes_alone(self, request: CodecRequest | None, size: int) -> bool:
        """Is this the place for the sole frame of a file, of so many bytes?

        Else it is coded in the process that asks.
        """
        ...

    def model_record(self, request: CodecRequest) -> ModelRecord | None:
        """What a header says of the model."""
        ...

    def encode(self, request: CodecRequest | None, blocks: Iterable[bytes]) -> Iterator[Frame]:
        """Encode blocks; reads no further ahead than it has workers for."""
        ...

    def decode(
        self, request: CodecRequest | None, frames: Iterable[tuple[Frame, range]]
    ) -> Iterator[bytes]:
        """Decode of each frame a range of its bytes, which come in one or more parts.

        The codec is only opened for frames with text.
        """
        ...

    def close(self) -> None:
        """Let go of models and processes; the workers can't be used again."""
        ...
