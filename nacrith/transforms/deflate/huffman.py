"""Huffman codes: lengths as zlib makes them from frequencies, codes from lengths.

Where two subtrees weigh the same, a Huffman code is free to choose; zlib's choice follows from
its heap, in which the flatter of two equals comes first, and from how codes that are too long
are shortened. Gailly's and Adler's algorithm is described in zlib's "algorithm.txt"; a
compressor's block header is predicted by doing what it does, in the same order.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import njit

Ints = npt.NDArray[np.int64]
Lengths = npt.NDArray[np.uint8]


@njit(cache=True)
def _sift(heap: Ints, size: int, place: int, weight: Ints, depth: Ints) -> None:
    """Let the node at `place` of the heap (from 1 on) sink to where it belongs."""
    node = heap[place]
    child = 2 * place
    while child <= size:
        if child < size:
            a, b = heap[child + 1], heap[child]
            if weight[a] < weight[b] or (weight[a] == weight[b] and depth[a] <= depth[b]):
                child += 1
        best = heap[child]
        if weight[node] < weight[best] or (
            weight[node] == weight[best] and depth[node] <= depth[best]
        ):
            break
        heap[place] = best
        place = child
        child *= 2
    heap[place] = node


@njit(cache=True)
def code_lengths(frequencies: Ints, longest: int, lengths: Lengths) -> Any:
    """Find the code lengths that zlib gives to symbols of these frequencies.

    Args:
        frequencies: [n] int64.
        longest: bits of the longest code allowed.
        lengths: [n] uint8, filled in; 0 = the symbol has no code.

    Returns:
        The last symbol that has a code. There are at least two codes.
    """
    n = len(frequencies)
    weight = np.zeros(2 * n, dtype=np.int64)
    depth = np.zeros(2 * n, dtype=np.int64)
    parent = np.zeros(2 * n, dtype=np.int64)
    bits = np.zeros(2 * n, dtype=np.int64)
    heap = np.zeros(n + 2, dtype=np.int64)
    size = 0
    last = -1
    lengths[:] = 0
    for symbol in range(n):
        weight[symbol] = frequencies[symbol]
        if frequencies[symbol] > 0:
            size += 1
            heap[size] = symbol
            last = symbol
    while size < 2:
        symbol = 0
        if last < 2:
            last += 1
            symbol = last
        weight[symbol] = 1
        size += 1
        heap[size] = symbol
    for place in range(size // 2, 0, -1):
        _sift(heap, size, place, weight, depth)
    # Nodes in the order in which they leave the heap.
    taken = np.zeros(2 * n, dtype=np.int64)
    n_taken = 0
    node = n
    while size >= 2:
        first = heap[1]
        heap[1] = heap[size]
        size -= 1
        _sift(heap, size, 1, weight, depth)
        second = heap[1]
        taken[n_taken] = first
        taken[n_taken + 1] = second
        n_taken += 2
        weight[node] = weight[first] + weight[second]
        depth[node] = max(depth[first], depth[second]) + 1
        parent[first] = node
        parent[second] = node
        heap[1] = node
        node += 1
        _sift(heap, size, 1, weight, depth)
    count = np.zeros(longest + 1, dtype=np.int64)
    too_long = 0
    for i in range(n_taken - 1, -1, -1):
        node = taken[i]
        bits[node] = bits[parent[node]] + 1
        if bits[node] > longest:
            bits[node] = longest
            too_long += 1
        if node < n:
            count[bits[node]] += 1
            lengths[node] = bits[node]
    if too_long > 0:
        while too_long > 0:
            length = longest - 1
            while count[length] == 0:
                length -= 1
            # A leaf becomes a node, which takes itself and one of those too long.
            count[length] -= 1
            count[length + 1] += 2
            count[longest] -= 1
            too_long -= 2
        # The lightest leaves get the longest codes.
        i = 0
        for length in range(longest, 0, -1):
            left = count[length]
            while left > 0:
                node = taken[i]
                i += 1
                if node < n:
                    lengths[node] = length
                    left -= 1
    return last


@njit(cache=True)
def codes_of(lengths: Lengths, codes: Ints) -> Any:
    """Fill in the canonical codes, bits reversed as deflate writes them.

    Args:
        lengths: [n] uint8, at most 15.
        codes: [n] int64, filled in.

    Returns:
        Do the lengths fit a prefix code? It may have words left.
    """
    count = np.zeros(17, dtype=np.int64)
    for length in lengths:
        count[length] += 1
    count[0] = 0
    code = 0
    following = np.zeros(17, dtype=np.int64)
    for length in range(1, 16):
        code = (code + count[length - 1]) << 1
        following[length] = code
        if code + count[length] > np.int64(1) << length:
            return False
    for symbol in range(len(lengths)):
        length = np.int64(lengths[symbol])
        code = following[length]
        following[length] += 1
        reverse = np.int64(0)
        for _ in range(length):
            reverse = reverse << 1 | (code & 1)
            code >>= 1
        codes[symbol] = reverse
    return True
