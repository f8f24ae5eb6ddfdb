"""Sequences of tokens for training: of documents, kinds mixed by weights."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

Tokens = npt.NDArray[np.int32]

SIZE_EXPONENT = 0.5
"""Documents of a kind are drawn by this power of their size.

A document teaches its own words once, and what it has in common with others of its kind over
and over; so a long one should not have a hundred times the part of a short one. The exponent
is between 1, by size, and 0, all alike (as for languages: Conneau et al. 2020, XLM-R)."""

MOST_REPEATS = 4
"""By so many times as often as by its size a short document is drawn at most.

Up to four passes over the same text are about as good as new text, more are not (Muennighoff et
al. 2023, Scaling Data-Constrained Language Models)."""


class Samples:
    """An endless series of sequences; the same for the same documents, weights and seed.

    Each pass over a document cuts it at other places and mixes the pieces anew; what is left over
    at its end comes in another pass.

    Attributes:
        drawn: sequences taken so far, by kind.
    """

    def __init__(
        self,
        documents: Mapping[str, Sequence[Tokens]],
        weights: Mapping[str, float],
        length: int,
        seed: int,
        exponent: float = SIZE_EXPONENT,
    ) -> None:
        """
        Args:
            documents: by kind; those shorter than a sequence are left out.
            weights: by kind; the others are left out.
            length: tokens of a sequence.
            exponent: of a document's size, 0 to 1.

        Raises:
            ValueError: a kind has no document of that length.
        """
        self._kinds = sorted(kind for kind, weight in weights.items() if weight > 0)
        self._documents = {
            kind: [tokens for tokens in documents[kind] if len(tokens) >= length]
            for kind in self._kinds
        }
        for kind, usable in self._documents.items():
            if not usable:
                raise ValueError(f"no document of kind {kind} has {length} tokens")
        total = sum(weights[kind] for kind in self._kinds)
        self._thresholds = np.cumsum([weights[kind] / total for kind in self._kinds])
        self._length = length
        self._seed = seed
        self._exponent = exponent
        self.restore({"drawn": {}})

    def draw(self, n: int) -> npt.NDArray[np.int64]:
        """The next n sequences, [n, length]."""
        return np.stack([self._next() for _ in range(n)]).astype(np.int64)

    def state(self) -> dict[str, Any]:
        """What `restore` needs to go on from here."""
        return {"drawn": dict(self.drawn)}

    def restore(self, state: Mapping[str, Any]) -> None:
        self.drawn = {kind: int(state["drawn"].get(kind, 0)) for kind in self._kinds}
        self._pieces = {
            kind: islice(self._series(kind), self.drawn[kind], None) for kind in self._kinds
        }

    def _next(self) -> Tokens:
        count = sum(self.drawn.values())
        draw = np.random.default_rng([self._seed, count]).random()
        number = int(np.searchsorted(self._thresholds, draw))
        kind = self._kinds[min(number, len(self._kinds) - 1)]
        document, begin = next(self._pieces[kind])
        self.drawn[kind] += 1
        return self._documents[kind][document][begin : begin + self._length]

    def _series(self, kind: str) -> Iterator[tuple[int, int]]:
        """Documents and places of a kind's sequences, without end.

        In rounds of as many sequences as the documents have; in each, a document comes as often
        as its share says, rounded up or down (systematic sampling).
        """
        key = [self._seed, self._kinds.index(kind)]
        random = np.random.default_rng([*key, 1])
        sizes = np.array([len(tokens) for tokens in self._documents[kind]], np.float64)
        places = [
            _places(len(tokens), self._length, np.random.default_rng([*key, 2, i]))
            for i, tokens in enumerate(self._documents[kind])
        ]
        n = int((sizes // self._length).sum())
        ends = np.cumsum(shares(sizes, self._exponent)) * n
        ends[-1] = n
        while True:
            upto = np.floor(ends + random.random())
            times = np.diff(upto, prepend=0).astype(np.int64)
            for document in random.permutation(np.repeat(np.arange(len(sizes)), times)):
                yield int(document), next(places[document])


def shares(sizes: npt.NDArray[np.float64], exponent: float) -> npt.NDArray[np.float64]:
    """How often each document is drawn, [n], of sum 1: by a power of its size, but see above."""
    by_size = sizes / sizes.sum()
    wanted = sizes**exponent / (sizes**exponent).sum()
    limited = np.minimum(wanted, MOST_REPEATS * by_size)
    return np.asarray(limited / limited.sum())


def _places(size: int, length: int, random: np.random.Generator) -> Iterator[int]:
    """Where the pieces of a document of `size` tokens begin, pass after pass, without end."""
    while True:
        start = int(random.integers(length)) if size >= 2 * length else 0
        for place in random.permutation(np.arange(start, size - length + 1, length)):
            yield int(place)
