"""The exact model on a device with many streams: both directions, memory, and where the time goes.

A frame has at most 256 streams; more of them are frames side by side, each with an ensemble and a
coder of its own, in one loop, and coded by as many threads as there are processors.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from coder import Coder, Decoder, Encoder
from coder.kernels import njit
from coder.range_coder import code_bit
from nacrith.bench.markdown import table
from nacrith.codec.layout import Layout
from nacrith.codec.lockstep import Group, code_groups, fed_tokens, session_bounds
from nacrith.errors import NacrithError
from nacrith.format.parameters import MAX_STREAMS, Parameters
from nacrith.models.catalog import describe
from nacrith.models.corrections import corrected, default_corrected
from predictors.base import IntArray
from predictors.ensemble import Ensemble
from predictors.language_models.numerics import available_threads
from predictors.language_models.trie import Trie


@dataclass
class Direction:
    """Coding all streams in one direction, in seconds; the first one is what a clock shows.

    Attributes:
        total: of all.
        model: the device computes; while it does, the processor may code.
        transfer: results on their way to the processor's memory.
        coder: the range coder's part, measured on as many decisions alone.
        predictors: what is left of the time that the loop takes beside waiting for the model.
        waiting: for the model and the transfers.
    """

    total: float
    model: float
    transfer: float
    predictors: float
    coder: float
    waiting: float


@dataclass
class Measured:
    """One number of streams.

    Attributes:
        streams, tokens, size: of the text: its streams, tokens and bytes.
        payload: bytes of its code.
        compress, decompress: see `Direction`.
        prefill, steps: seconds of the model alone, many tokens of a stream at once, and one.
        memory: most bytes of the device's memory in use; None = not known of a processor.
    """

    streams: int
    tokens: int
    size: int
    payload: int
    compress: Direction
    decompress: Direction
    prefill: float
    steps: float
    memory: int | None


def measure_device(
    device: str, text: bytes, streams: Sequence[int], parameters: Parameters, model: Any = None
) -> list[Measured]:
    """Code a text in so many streams each, in both directions.

    Args:
        model: path of a GGUF; None = the default one.

    Raises:
        NacrithError: the device or PyTorch is missing, or the text is too short.
    """
    from nacrith.codec.loaded_models import translated

    with translated():
        from predictors.language_models.exact_torch.model import load

        file = corrected(describe(model)) if model else default_corrected()
        loaded = load(file.path, 0, file.correction, device)
        symbols = loaded.vocabulary.encode(text)
        if len(symbols) < max(streams):
            raise NacrithError(f"the text has {len(symbols)} tokens, fewer than streams")
        # Compiles what is compiled, and lets a device choose its kernels.
        first = min(streams)
        _measure(loaded, symbols[: 2 * first], 2 * first, first, parameters)
        found = [_measure(loaded, symbols, len(text), n, parameters) for n in streams]
        loaded.close()
    return found


def _measure(
    model: Any, symbols: IntArray, size: int, streams: int, parameters: Parameters
) -> Measured:
    trial = _Trial(model, symbols, streams, parameters)
    _reset_memory(model.device)
    encoders = [Encoder() for _ in trial.parts]
    compress = trial.code(encoders, [part.copy() for part in trial.parts], True)
    payloads = [encoder.finish() for encoder in encoders]
    decoded = [np.zeros_like(part) for part in trial.parts]
    decompress = trial.code([Decoder(payload) for payload in payloads], decoded, False)
    if not all(map(np.array_equal, decoded, trial.parts)):
        raise AssertionError("the restored text differs")
    return Measured(
        streams,
        len(symbols),
        size,
        sum(map(len, payloads)),
        compress,
        decompress,
        trial.model_alone(True),
        trial.model_alone(False),
        _peak_memory(model.device),
    )


class _Trial:
    """A text in streams, of frames side by side.

    Attributes:
        parts: [n] int32 symbols of each frame.
    """

    def __init__(self, model: Any, symbols: IntArray, streams: int, parameters: Parameters) -> None:
        frames = -(-streams // MAX_STREAMS)
        self._model = model
        self._parameters = parameters
        self._streams = streams
        of_frames = np.diff(session_bounds(streams, frames))
        # Streams of equal length, but for the last ones.
        bounds = np.array(session_bounds(len(symbols), streams))
        ends = np.cumsum(of_frames)
        self.parts = [
            symbols[bounds[end - n] : bounds[end]] for n, end in zip(of_frames, ends, strict=True)
        ]
        lengths = np.diff(bounds).tolist()
        self._layouts = [
            Layout(tuple(lengths[end - n : end]), (1,) * n)
            for n, end in zip(of_frames.tolist(), ends.tolist(), strict=True)
        ]
        vocabulary = model.vocabulary
        self._read = np.array([vocabulary.start_token], dtype=np.int32)
        steps = max(layout.steps for layout in self._layouts)
        self._known = np.concatenate(
            [
                fed_tokens(vocabulary, part, layout, self._read, steps)
                for part, layout in zip(self.parts, self._layouts, strict=True)
            ],
            axis=1,
        )
        depths = depths_of(vocabulary.trie)
        self._decisions = int(sum(depths[part].sum() for part in self.parts))

    def code(self, coders: Sequence[Coder], parts: Sequence[IntArray], encodes: bool) -> Direction:
        """Code all; `parts` are read, or filled in."""
        vocabulary, p = self._model.vocabulary, self._parameters
        sessions = self._sessions()
        groups = [
            Group(coder, Ensemble(vocabulary, p, len(layout), len(part)), part, layout)
            for coder, part, layout in zip(coders, parts, self._layouts, strict=True)
        ]
        known = self._known if encodes else self._known[:0]
        begin = time.perf_counter()
        with ThreadPoolExecutor(available_threads()) as threads:
            for _ in code_groups(groups, sessions, vocabulary, self._read, known, threads):
                pass
        total = time.perf_counter() - begin
        waiting = sum(session.waited for session in sessions)
        coder = _coder_seconds(self._decisions)
        return Direction(
            total,
            sum(session.seconds.model for session in sessions),
            sum(session.seconds.transfer for session in sessions),
            max(total - waiting - coder, 0.0),
            coder,
            waiting,
        )

    def model_alone(self, prefetched: bool) -> float:
        """Seconds of the model for the whole text; its logits are not looked at."""
        (session,) = self._sessions(1)
        begin = time.perf_counter()
        if prefetched:
            session.prefetch(self._known)
        for row in self._known:
            session.step(row)
        return time.perf_counter() - begin

    def _sessions(self, count: int = 0) -> list["_Watched"]:
        bounds = session_bounds(self._streams, count or self._model.sessions(self._streams))
        p = self._parameters
        return [_Watched(self._model.open(int(n), p.window, p.sinks)) for n in np.diff(bounds)]


class _Watched:
    """A session; how long it is waited for is added up.

    Attributes:
        waited: seconds.
    """

    def __init__(self, session: Any) -> None:
        self._session = session
        self.waited = 0.0

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._session, name)
        if name not in ("step", "prefetch"):
            return found

        def watched(*arguments: Any) -> Any:
            begin = time.perf_counter()
            result = found(*arguments)
            self.waited += time.perf_counter() - begin
            return result

        return watched


def depths_of(trie: Trie) -> npt.NDArray[np.int64]:
    """[A] decisions on the way to each symbol."""
    nodes = np.zeros(len(trie.split), dtype=np.int64)
    depths = np.zeros(len(trie.split) + 1, dtype=np.int64)
    # A node is behind its parent.
    for node, children in enumerate(trie.child.tolist()):
        for child in children:
            if child < 0:
                depths[~child] = nodes[node] + 1
            else:
                nodes[child] = nodes[node] + 1
    return depths


@njit
def _code_decisions(
    state: npt.NDArray[np.int64], buffer: npt.NDArray[np.uint8], p1: npt.NDArray[np.int64]
) -> None:
    for i in range(len(p1)):
        code_bit(state, buffer, p1[i], np.int64(16), np.int64(i & 1))


_DECISIONS = 1 << 16


def _coder_seconds(decisions: int) -> float:
    """What the range coder alone takes for so many decisions."""
    p1 = np.random.default_rng(0).integers(1 << 12, 1 << 15, _DECISIONS)
    _code_decisions(*Encoder().kernel_state(_DECISIONS), p1[:1])
    state, buffer = Encoder().kernel_state(_DECISIONS)
    begin = time.perf_counter()
    _code_decisions(state, buffer, p1)
    return (time.perf_counter() - begin) * decisions / _DECISIONS


def _reset_memory(device: Any) -> None:
    if device.type == "cuda":
        import torch

        torch.cuda.reset_peak_memory_stats(device)


def _peak_memory(device: Any) -> int | None:
    if device.type != "cuda":
        return None
    import torch

    return int(torch.cuda.max_memory_reserved(device))


def device_section(name: str, device: str, results: Sequence[Measured]) -> str:
    """The results as a section of Markdown."""
    rate: Callable[[Measured, float], list[str]] = lambda r, seconds: [  # noqa: E731
        f"{r.tokens / seconds:,.0f}",
        f"{r.size / seconds / 1e6:.3f}",
    ]
    rows = []
    for r in results:
        for what, seconds in (
            ("compress", r.compress.total),
            ("decompress", r.decompress.total),
            ("model alone, known tokens", r.prefill),
            ("model alone, steps", r.steps),
        ):
            rows.append([f"{r.streams}, {what}", *rate(r, seconds)])
    shares = []
    names = [field.name for field in fields(Direction)[1:]]
    for r in results:
        for what, direction in (("compress", r.compress), ("decompress", r.decompress)):
            parts = asdict(direction)
            of_total = [f"{100 * parts[n] / direction.total:.0f} %" for n in names]
            memory = "" if r.memory is None else f"{r.memory / 2**30:.1f}"
            shares.append([f"{r.streams}, {what}", *of_total, memory])
    size = 8 * results[0].payload / results[0].size
    return (
        f"## {name} on {device}\n\n"
        f"{results[0].size:,} bytes, {results[0].tokens:,} tokens, {size:.3f} bits per byte with "
        f"{results[0].streams} streams (`nacrith bench device`).\n\n"
        + table("streams | tokens/s | MB/s", rows)
        + "\nShares of the time. The device's and the processor's may overlap.\n\n"
        + table("streams | " + " | ".join(names) + " | GiB", shares)
    )
