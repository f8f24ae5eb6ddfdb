"""What a run has done, in numbers."""

from dataclasses import dataclass


@dataclass
class Summary:
    """What was done: sizes in bytes, tokens of text."""

    original: int = 0
    compressed: int = 0
    tokens: int = 0

    @property
    def bpb(self) -> float:
        """Bits per byte of the original, with every byte of the file counted."""
        return 8 * self.compressed / self.original if self.original else 0.0
