"""A language model's outputs on a text, on disk: to try predictors without running it.

Logits are kept as their distance from the largest one in eighths of a bit, one byte
each, which changes what a token costs by less than 0.02 %; hidden states as
float16. 50 KB a token.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from coder.kernels import njit
from nacrith.bench.edition import OUTPUTS, edition
from nacrith.bench.store import FOLDER
from nacrith.format.parameters import Parameters
from predictors.base import FloatArray, IntArray, LanguageModel

_UNITS_PER_NAT = np.float32(8 / np.log(2))


@dataclass(frozen=True)
class Recording:
    """One stream's outputs.

    Attributes:
        symbols: [n] int32, the text.
        distances: [n, A] uint8 in eighths of a bit, per symbol; on disk.
        hidden: [n, E] float16; on disk.
    """

    symbols: IntArray
    distances: npt.NDArray[np.uint8]
    hidden: npt.NDArray[np.float16]

    def steps(self, token_of_symbol: IntArray, n_tokens: int) -> Iterator[tuple[FloatArray, ...]]:
        """Yield (logits [V], hidden [E]) of each token, as a session would give them."""
        logits = np.zeros(n_tokens, dtype=np.float32)
        for distances, hidden in zip(self.distances, self.hidden, strict=True):
            logits[token_of_symbol] = distances / -_UNITS_PER_NAT
            yield logits, hidden.astype(np.float32)


@njit(cache=True)
def _quantize(
    logits: FloatArray,
    token_of_symbol: IntArray,
    units: np.float32,
    distances: npt.NDArray[np.uint8],
) -> None:
    for t in range(len(logits)):
        top = logits[t, token_of_symbol[0]]
        for token in token_of_symbol:
            top = max(top, logits[t, token])
        for i in range(len(token_of_symbol)):
            distance = (top - logits[t, token_of_symbol[i]]) * units + np.float32(0.5)
            distances[t, i] = np.uint8(min(distance, np.float32(255)))


def record(
    model: LanguageModel, name: str, symbols: IntArray, window: int = Parameters.window
) -> Recording:
    """Record one stream, [n] symbols, or take what was recorded before under that name."""
    paths = _paths(name, window)
    if not all(path.exists() for path in paths):
        FOLDER.mkdir(parents=True, exist_ok=True)
        _record(model, symbols, window, *paths)
    distances, hidden = (np.load(path, mmap_mode="r") for path in paths)
    return Recording(symbols, distances, hidden)


def _paths(name: str, window: int) -> list[Path]:
    stem = f"recording-{name}-window{window}-{edition(OUTPUTS)}"
    return [FOLDER / f"{stem}.{part}.npy" for part in ("q", "h")]


def _record(
    model: LanguageModel, symbols: IntArray, window: int, distances_path: Path, hidden_path: Path
) -> None:
    token_of_symbol = model.vocabulary.token_of_symbol
    tokens = np.concatenate([[model.vocabulary.start_token], token_of_symbol[symbols[:-1]]])
    scratch = distances_path.with_suffix(".tmp")
    distances = np.lib.format.open_memmap(
        scratch, mode="w+", dtype=np.uint8, shape=(len(symbols), len(token_of_symbol))
    )
    session = model.open(1, window, Parameters().sinks)
    tokens = tokens.astype(np.int32)[:, None]
    session.prefetch(tokens)
    states = []
    for i, token in enumerate(tokens):
        logits = session.step(token)
        _quantize(logits, token_of_symbol, _UNITS_PER_NAT, distances[i : i + 1])
        hidden = session.hidden()
        assert hidden is not None
        states.append(hidden.astype(np.float16))
    session.close()
    distances.flush()
    np.save(hidden_path, np.concatenate(states))
    scratch.replace(distances_path)
