"""The vocabulary as a binary trie: a symbol is a path of binary decisions.

Symbols are in byte order, so every subtree is a contiguous range of symbols and
its probability is a difference of two entries of the CDF. A decision is either
a bit of the next byte, most significant first, or whether the symbol ends here
where another one goes on. Bits that all symbols of a subtree share are no
decisions.
"""

from bisect import bisect_left
from collections.abc import Sequence
from operator import itemgetter
from typing import Any

import numpy as np
import numpy.typing as npt

END = 0
"""The value of `partial` at an end-or-longer decision."""


class Trie:
    """A binary trie with the symbols as leaves. Node 0 is the root.

    Attributes:
        split: [A - 1] int32, the first symbol of the upper subtree.
        child: [A - 1, 2] int32, the lower and the upper child: a node, or ~symbol.
        depth: [A - 1] int32, number of complete bytes on the way to the node.
        partial: [A - 1] int32, the known bits of the next byte behind a leading 1,
            or `END`: lower = the symbol ends here.
        min_decisions, max_decisions: lengths of the shortest and the longest path.
        spelling: the bytes of all symbols in a row, uint8.
        begin: [A + 1] int32, where each symbol's bytes begin there.
    """

    def __init__(self, spellings: Sequence[bytes]) -> None:
        """
        Args:
            spellings: bytes of the symbols, at least two, strictly ascending, none empty.
        """
        n = len(spellings) - 1
        self.begin = np.zeros(n + 2, dtype=np.int32)
        np.cumsum([len(s) for s in spellings], out=self.begin[1:])
        self.spelling = np.frombuffer(b"".join(spellings), dtype=np.uint8).copy()
        self.split = np.zeros(n, dtype=np.int32)
        self.child = np.full((n, 2), ~0, dtype=np.int32)
        self.depth = np.zeros(n, dtype=np.int32)
        self.partial = np.ones(n, dtype=np.int32)
        self.min_decisions, self.max_decisions = n, 0
        nodes = 0
        # Range of symbols, depth, known bits, place to hang the subtree on, decisions above.
        stack = [(0, len(spellings), 0, 1, (-1, 0), 0)]
        while stack:
            low, high, depth, partial, (parent, side), above = stack.pop()
            if high - low == 1:
                found = ~low
                self.min_decisions = min(self.min_decisions, above)
                self.max_decisions = max(self.max_decisions, above)
            else:
                found = nodes
                nodes += 1
                split, depth, partial = _decision(spellings, low, high, depth, partial)
                self.split[found] = split
                self.depth[found] = depth
                self.partial[found] = partial
                below = (1, 1) if partial == END else (2 * partial, 2 * partial + 1)
                stack.append((low, split, depth, below[0], (found, 0), above + 1))
                stack.append((split, high, depth, below[1], (found, 1), above + 1))
            if parent >= 0:
                self.child[parent, side] = found

    def to_arrays(self) -> dict[str, npt.NDArray[np.int32] | npt.NDArray[np.uint8]]:
        """All that there is, for `from_arrays`."""
        lengths = np.array([self.min_decisions, self.max_decisions], dtype=np.int32)
        names = ("split", "child", "depth", "partial", "spelling", "begin")
        return {"lengths": lengths} | {name: getattr(self, name) for name in names}

    @classmethod
    def from_arrays(cls, arrays: dict[str, npt.NDArray[Any]]) -> "Trie":
        """The trie of `to_arrays`."""
        trie = cls.__new__(cls)
        for name, array in arrays.items():
            setattr(trie, name, array)
        trie.min_decisions, trie.max_decisions = arrays["lengths"].tolist()
        return trie


def _decision(
    spellings: Sequence[bytes], low: int, high: int, depth: int, partial: int
) -> tuple[int, int, int]:
    """The first decision that parts the symbols [low, high): (split, depth, partial)."""
    while True:
        if partial == 1 and len(spellings[low]) == depth:
            return low + 1, depth, END
        known = partial.bit_length() - 1
        if known == 8:
            depth, partial = depth + 1, 1
            continue
        threshold = (2 * partial + 1) << (7 - known) & 0xFF
        split = bisect_left(spellings, threshold, low, high, key=itemgetter(depth))
        if low < split < high:
            return split, depth, partial
        partial = 2 * partial + (split == low)
