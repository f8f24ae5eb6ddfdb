"""Frames for the model go to GPUs, all others to the processor."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from nacrith.backends import EXACT, GPU_BACKEND, ON_GPU
from nacrith.codec.codec_request import CodecRequest, CompressRequest, DecompressRequest
from nacrith.format.frame import Frame
from nacrith.format.header import ModelRecord
from nacrith.workers.base import Workers

_COMPUTED_THERE = ("auto", *ON_GPU, *ON_GPU.values())


class ByDevice:
    """Workers of two kinds, each made when it is needed first.

    What is asked for by one request runs on one kind, from the first frame to the last.
    """

    def __init__(
        self,
        on_gpus: Callable[[], Workers | None],
        on_processor: Callable[[], Workers],
        least: int,
        block_size: int,
        also_llama_cpp: bool = False,
    ) -> None:
        """
        Args:
            on_gpus: makes those on GPUs; None if there turn out to be none.
            on_processor: makes the others.
            least: bytes of a first frame for which a GPU is worth its start.
            block_size: bytes of a frame, where that must be known before the first one.
            also_llama_cpp: does the backend llama.cpp-gpu, too, run one process per GPU?
        """
        self._make = {True: on_gpus, False: on_processor}
        self._made: dict[bool, Workers | None] = {}
        self._least = least
        self._block_size = block_size
        self._also_llama_cpp = also_llama_cpp
        self._chosen: dict[CodecRequest | None, bool] = {}

    def takes_alone(self, request: CodecRequest | None, size: int) -> bool:
        return self._is_for_gpus(request, size)

    def model_record(self, request: CodecRequest) -> ModelRecord | None:
        return self._workers(request, self._block_size).model_record(request)

    def encode(self, request: CodecRequest | None, blocks: Iterable[bytes]) -> Iterator[Frame]:
        rest = iter(blocks)
        for first in rest:
            workers = self._workers(request, len(first))
            yield from workers.encode(request, chain([first], rest))

    def decode(
        self, request: CodecRequest | None, frames: Iterable[tuple[Frame, range]]
    ) -> Iterator[bytes]:
        rest = iter(frames)
        for first in rest:
            workers = self._workers(request, first[0].original_size)
            yield from workers.decode(request, chain([first], rest))

    def close(self) -> None:
        for workers in self._made.values():
            if workers is not None:
                workers.close()

    def _workers(self, request: CodecRequest | None, size: int) -> Workers:
        workers = self._of_kind(self._is_for_gpus(request, size))
        assert workers is not None
        return workers

    def _is_for_gpus(self, request: CodecRequest | None, size: int) -> bool:
        if request not in self._chosen:
            fits = size >= self._least and self._runs_there(request)
            self._chosen[request] = fits and self._of_kind(True) is not None
        return self._chosen[request]

    def _of_kind(self, on_gpu: bool) -> Workers | None:
        if on_gpu not in self._made:
            self._made[on_gpu] = self._make[on_gpu]()
        return self._made[on_gpu]

    def _runs_there(self, request: CodecRequest | None) -> bool:
        """Does a GPU compute anything of it?"""
        if isinstance(request, CompressRequest):
            return request.backend in _COMPUTED_THERE or (
                self._also_llama_cpp and request.backend == GPU_BACKEND
            )
        if isinstance(request, DecompressRequest) and request.record:
            numerics = request.record.numerics
            return numerics.backend == EXACT or (self._also_llama_cpp and bool(numerics.device))
        return False
