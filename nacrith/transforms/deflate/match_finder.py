"""Hash chains of earlier places that begin with the same three bytes, and the search in them.

As in zlib (Gailly and Adler): a head for each hash, and a ring of links to the place before.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from coder.kernels import njit
from nacrith.transforms.deflate.alphabet import MAX_MATCH, MIN_MATCH
from nacrith.transforms.deflate.effort import (
    CHAIN,
    FAR,
    FARTHEST,
    FILTER,
    FREE,
    GOOD,
    HASH_BITS,
    LAZY,
    NICE,
    WAY,
    Effort,
)

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int32]

INSERTED, KNOWN, LENGTH, DISTANCE, HISTORY, FOUND = range(6)
"""Of the state: place up to which there are chains; is the match known that begins at the next
token, its length, its distance; the last predictions; distance of the last search."""


class Finder(NamedTuple):
    """What is known of the content up to a token.

    Attributes:
        heads: [2 ** hash bits] int32, the last place of each hash; -1 = none.
        links: [window] int32, the place before of the same hash.
        state: [6] int64.
        fields: of the effort.
    """

    heads: Places
    links: Places
    state: Ints
    fields: Ints

    def copy(self) -> "Finder":
        return Finder(self.heads.copy(), self.links.copy(), self.state.copy(), self.fields)


def make_finder(effort: Effort) -> Finder:
    """At the begin of a stream."""
    fields = effort.fields()
    return Finder(
        np.full(1 << int(fields[HASH_BITS]), -1, dtype=np.int32),
        np.full(1 << max(effort.window, 9), -1, dtype=np.int32),
        np.zeros(6, dtype=np.int64),
        fields,
    )


@njit(cache=True, counted=False)
def insert(content: Bytes, finder: Finder, begin: int, end: int) -> None:
    """Put the places from `begin` to `end` into their chains."""
    heads, links = finder.heads, finder.links
    bits = finder.fields[HASH_BITS]
    shift = (bits + 2) // 3
    mask = (np.int64(1) << bits) - 1
    ring = len(links) - 1
    for place in range(begin, min(end, len(content) - MIN_MATCH + 1)):
        key = (
            np.int64(content[place]) << (2 * shift)
            ^ np.int64(content[place + 1]) << shift
            ^ np.int64(content[place + 2])
        ) & mask
        links[place & ring] = heads[key]
        heads[key] = place


@njit(cache=True, counted=False)
def search(content: Bytes, finder: Finder, place: int, least: int) -> Any:
    """Find the longest match of more than `least` bytes at a place that is in its chain.

    Returns:
        Its length, int64; `least` if there is none. The distance is left in the state.
    """
    fields = finder.fields
    links = finder.links
    ring = len(links) - 1
    left = len(content) - place
    if left < MIN_MATCH:
        return np.int64(least)
    chain = fields[CHAIN]
    if least >= fields[GOOD]:
        chain >>= 2
    nice = min(fields[NICE], left)
    most = min(np.int64(MAX_MATCH), left)
    lowest = np.int64(0) if fields[FREE] else np.int64(1)
    # The first one may be at the farthest distance, the others must be nearer.
    farthest = place - fields[FARTHEST]
    candidate = np.int64(links[place & ring])
    best = np.int64(least)
    if best >= most:
        return best
    if candidate < lowest or candidate < farthest:
        return best
    while True:
        if content[candidate + best] == content[place + best]:
            length = np.int64(0)
            while length < most and content[candidate + length] == content[place + length]:
                length += 1
            if length > best:
                best = length
                finder.state[FOUND] = place - candidate
                if length >= nice:
                    break
        following = np.int64(links[candidate & ring])
        # An entry that is no older has been overwritten.
        if following >= candidate or following < lowest:
            break
        if following < farthest or (following == farthest and not fields[FREE]):
            break
        candidate = following
        chain -= 1
        if chain == 0:
            break
    # Who takes the first match takes those too.
    if best > least and best <= 5 and fields[WAY] == LAZY:
        too_far = best == MIN_MATCH and finder.state[FOUND] > fields[FAR]
        if fields[FILTER] or too_far:
            return np.int64(least)
    return best
