"""A step recorded once and replayed: launching its thousands of operations takes longer than they.

What is recorded reads its input from the same tensors each time, and leaves its results in the
same tensors.
"""

from collections.abc import Callable
from typing import Any

from predictors.language_models.exact_torch.attention import Batch
from predictors.language_models.exact_torch.cache import Cache
from predictors.language_models.exact_torch.forward import Results
from predictors.language_models.exact_torch.torch_module import torch

Evaluation = Callable[[Batch, Cache, Results], None]
"""Reads a batch, reads and writes a cache, writes results."""

Recorder = Callable[[Evaluation, Batch, Cache, Results], Callable[[], None]]
"""Returns what does again, with what is in these tensors then, what the evaluation does."""


def eager(
    evaluation: Evaluation, batch: Batch, cache: Cache, results: Results
) -> Callable[[], None]:
    """Nothing is recorded."""
    return lambda: evaluation(batch, cache, results)


class CudaGraphs:
    """CUDA graphs (HIP graphs with ROCm) of one device, which share their working memory.

    They may, as long as none runs beside another: what lasts is in the tensors that they are given.
    """

    def __init__(self) -> None:
        self._pool: Any = None
        # PyTorch refuses a pool of which no graph is alive any more.
        self._first: Any = None

    def __call__(
        self, evaluation: Evaluation, batch: Batch, cache: Cache, results: Results
    ) -> Callable[[], None]:
        # Once as it is, so that libraries choose their kernels and get their memory.
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            evaluation(batch, cache, results)
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        # Other threads may use other devices meanwhile.
        with torch.cuda.graph(graph, pool=self._pool, capture_error_mode="thread_local"):
            evaluation(batch, cache, results)
        if self._first is None:
            self._first, self._pool = graph, graph.pool()
        replay: Callable[[], None] = graph.replay
        return replay


def recorder_for(device: Any) -> Recorder:
    """How steps are recorded on a device."""
    return CudaGraphs() if device.type == "cuda" else eager
