"""How long a device computes, and how long results travel: for measurements."""

import time
from dataclasses import dataclass
from typing import Any

from predictors.language_models.exact_torch.device import CPU
from predictors.language_models.exact_torch.torch_module import torch


@dataclass
class Seconds:
    """Of all batches so far.

    Attributes:
        model: from the first operation to the last.
        transfer: of results to the processor's memory.
    """

    model: float = 0.0
    transfer: float = 0.0


class Clock:
    """Marks the begin, the end of the evaluation and the end of the transfer of one batch.

    On a GPU these are events between its operations, which nobody waits for but `wait`.

    Attributes:
        seconds: of the batches that were waited for.
    """

    def __init__(self, device: Any) -> None:
        """`device`: must be PyTorch's current one, if it is a GPU."""
        self.seconds = Seconds()
        self._is_gpu = device.type != CPU
        self._marks: list[Any] = [0.0, 0.0, 0.0]
        if self._is_gpu:
            self._marks = [torch.cuda.Event(enable_timing=True) for _ in self._marks]
        self._runs = False

    def begun(self) -> None:
        self._mark(0)

    def evaluated(self) -> None:
        self._mark(1)

    def transferred(self) -> None:
        self._mark(2)
        self._runs = True

    def wait(self) -> None:
        """Wait for the transfer of the last batch, if nobody has."""
        if not self._runs:
            return
        self._runs = False
        begun, evaluated, transferred = self._marks
        if self._is_gpu:
            transferred.synchronize()
            self.seconds.model += begun.elapsed_time(evaluated) / 1000
            self.seconds.transfer += evaluated.elapsed_time(transferred) / 1000
        else:
            self.seconds.model += evaluated - begun
            self.seconds.transfer += transferred - evaluated

    def _mark(self, i: int) -> None:
        if self._is_gpu:
            self._marks[i].record()
        else:
            self._marks[i] = time.perf_counter()
