"""What a user chose for compression, and whether it makes sense."""

from dataclasses import dataclass, replace
from pathlib import Path

from nacrith.backends import BACKENDS
from nacrith.codec.stream_choice import Cutting
from nacrith.errors import ArgumentError
from nacrith.format.dictionary import MAX_SIZE as MAX_DICTIONARY
from nacrith.format.frame import MAX_ORIGINAL
from nacrith.format.header import MAX_THREADS, Metadata
from nacrith.format.parameters import Parameters, streams_problem
from nacrith.pipeline.presets import DEFAULT, Preset
from nacrith.system.devices import AUTOMATIC, DeviceChoice
from nacrith.transforms.opening.limits import EVERYTHING, Inside

BLOCK = 1 << 22
"""Bytes of the original in one frame unless the user says otherwise (4 MiB)."""


@dataclass(frozen=True)
class CompressOptions:
    """What the user chose.

    Attributes:
        model: GGUF path; None = the embedded default.
        backend: one of `backends.BACKENDS`.
        threads: of the model; 0 = all CPUs.
        preset: chooses the number of streams if that is left open, and says how much
            the model must save.
        parameters: of the text model.
        streams: of each frame; 0 = by the preset and the text's size.
        metadata: stored in the header if given.
        block_size: bytes of the original in a frame.
        dictionary: read before each frame, and needed to decompress; empty = none.
        correction: of the model's weights: a path, "none", or None for the one that is
            shipped for the model.
        inside: which compressed streams in the input are opened.
        device: where the model runs, for who makes workers of it.

    Raises:
        ArgumentError: a value makes no sense.
        TypeError: a value is of another type.
    """

    model: Path | None = None
    backend: str = "auto"
    threads: int = 0
    preset: Preset = DEFAULT
    parameters: Parameters = DEFAULT.parameters
    streams: int = 0
    metadata: Metadata | None = None
    block_size: int = BLOCK
    dictionary: bytes = b""
    correction: Path | str | None = None
    inside: Inside = EVERYTHING
    device: DeviceChoice = AUTOMATIC

    def __post_init__(self) -> None:
        own = {name: getattr(self, name) for name in ("streams", "threads", "block_size")}
        numbers = {**vars(self.parameters), **own}
        for name, value in numbers.items():
            if not isinstance(value, int):
                raise TypeError(f"{name} must be an integer, not {type(value).__name__}")
        if not isinstance(self.backend, str):
            raise TypeError(f"backend must be a string, not {type(self.backend).__name__}")
        problem = self._problem()
        if problem:
            raise ArgumentError(problem)

    def _problem(self) -> str | None:
        if self.backend not in BACKENDS:
            return f"the backend must be one of {', '.join(BACKENDS)}, not {self.backend!r}"
        if not 0 <= self.threads <= MAX_THREADS:
            return f"threads must be from 0 to {MAX_THREADS}, not {self.threads}"
        if not 1 <= self.block_size <= MAX_ORIGINAL:
            return f"the block size must be from 1 to {MAX_ORIGINAL} bytes, not {self.block_size}"
        if len(self.dictionary) > MAX_DICTIONARY:
            return f"a dictionary has at most {MAX_DICTIONARY} bytes, not {len(self.dictionary)}"
        if problem := self.device.problem_with(self.backend):
            return problem
        return self.parameters.problem() or streams_problem(self.streams, self.parameters.window)

    @property
    def cutting(self) -> Cutting:
        """How texts are cut into streams."""
        return replace(self.preset.cutting, streams=self.streams)


DEFAULT_OPTIONS = CompressOptions()
