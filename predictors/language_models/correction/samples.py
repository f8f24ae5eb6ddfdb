"""Sequences of tokens for training: of documents, kinds mixed by weights."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Tokens = npt.NDArray[np.int32]


class Samples:
    """An endless series of sequences; the same for the same documents, weights and seed.

    Within a kind, each pass over the documents cuts them at other places and mixes the
    pieces anew; what is left over at a document's end comes in another pass.

    Attributes:
        drawn: sequences taken so far, by kind.
    """

    def __init__(
        self,
        documents: Mapping[str, Sequence[Tokens]],
        weights: Mapping[str, float],
        length: int,
        seed: int,
    ) -> None:
        """
        Args:
            documents: by kind.
            weights: by kind; the others are left out.
            length: tokens of a sequence.
        """
        self._kinds = sorted(kind for kind, weight in weights.items() if weight > 0)
        self._documents = {kind: documents[kind] for kind in self._kinds}
        total = sum(weights[kind] for kind in self._kinds)
        self._thresholds = np.cumsum([weights[kind] / total for kind in self._kinds])
        self._length = length
        self._seed = seed
        self.drawn = dict.fromkeys(self._kinds, 0)
        self._passes: dict[str, tuple[int, int, list[tuple[int, int]]]] = {}

    def draw(self, n: int) -> npt.NDArray[np.int64]:
        """The next n sequences, [n, length]."""
        return np.stack([self._next() for _ in range(n)]).astype(np.int64)

    def state(self) -> dict[str, Any]:
        """What `restore` needs to go on from here."""
        return {"drawn": dict(self.drawn)}

    def restore(self, state: Mapping[str, Any]) -> None:
        self.drawn = {kind: int(state["drawn"].get(kind, 0)) for kind in self._kinds}
        self._passes.clear()

    def _next(self) -> Tokens:
        count = sum(self.drawn.values())
        draw = np.random.default_rng([self._seed, count]).random()
        number = int(np.searchsorted(self._thresholds, draw))
        kind = self._kinds[min(number, len(self._kinds) - 1)]
        document, begin = self._piece(kind, self.drawn[kind])
        self.drawn[kind] += 1
        return self._documents[kind][document][begin : begin + self._length]

    def _piece(self, kind: str, index: int) -> tuple[int, int]:
        """The document and place of a kind's sequence of that number."""
        number, first, pieces = self._passes.get(kind, (-1, 0, []))
        if index < first:
            number, first, pieces = -1, 0, []
        while index >= first + len(pieces):
            first += len(pieces)
            number += 1
            pieces = self._cut(kind, number)
        self._passes[kind] = number, first, pieces
        return pieces[index - first]

    def _cut(self, kind: str, number: int) -> list[tuple[int, int]]:
        """The pieces of a pass."""
        random = np.random.default_rng([self._seed, self._kinds.index(kind), number, 1])
        pieces = []
        for i, tokens in enumerate(self._documents[kind]):
            start = int(random.integers(self._length)) if len(tokens) >= 2 * self._length else 0
            pieces += [(i, at) for at in range(start, len(tokens) - self._length + 1, self._length)]
        if not pieces:
            raise ValueError(f"no document of kind {kind} has {self._length} tokens")
        return [pieces[i] for i in random.permutation(len(pieces))]
