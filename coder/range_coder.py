"""A 32-bit range coder with byte-wise renormalization (Martin 1979).

State: `low` and `range`, both below 2**32. A symbol with the interval
[c_lo, c_hi) of a total 2**bits narrows the state to

    low + (range * c_lo >> bits)  ..  low + (range * c_hi >> bits).

NOTE. The bounds are computed from 64-bit products rather than from
`range // total`: right after renormalization `range` may be as small as 2**24,
and with a total of 2**24 the quotient would throw away up to half the range
(0.1 bits a symbol on average). With the product an interval is wrong by less
than one unit. Since range ≥ 2**24 = the largest total, every symbol with a
count ≥ 1 keeps a non-empty interval.

Carry: `low` may pass 2**32. The carry is then added to the bytes already
written; a run of 0xFF becomes 0x00, so each byte is touched once per time it
became 0xFF, which keeps the cost amortized constant.

End: the encoder writes the shortest bytes whose value, followed by zeros, lies
in the final interval. The decoder reads zeros past the end of its input.
"""

from math import log2
from typing import Protocol

import numpy as np

from coder.kernels import njit

_TOP = 1 << 32
_BOTTOM = 1 << 24
_MASK = _TOP - 1

# Places in the int64 state array. _VALUE and _DECODES belong to the decoder.
_LOW, _RANGE, _POSITION, _VALUE, _DECODES = range(5)

MAX_BYTES = 4
"""A symbol or bit writes at most so many bytes: its interval is at least one unit wide."""


class BitCoder(Protocol):
    """Codes bits of given probabilities, in either direction."""

    def code_bit(self, p1: int, bit: int, bits: int = 16) -> int: ...


class Coder(BitCoder, Protocol):
    """What the one loop of both directions needs of an entropy coder.

    `cdf` is [A + 1] uint32, strictly increasing from 0 to 2**bits, bits ≤ 24.
    An encoder writes `symbol` and returns it; a decoder ignores its argument
    and returns the symbol it reads.
    """

    def code(self, cdf: np.ndarray, bits: int, symbol: int) -> int: ...

    def kernel_state(self, n_bits: int) -> tuple[np.ndarray, np.ndarray]:
        """State and buffer for a compiled loop that calls `code_bit` n_bits times."""
        ...

    @property
    def bits(self) -> float:
        """What all that was coded so far costs: the logarithm of how far the interval shrank."""
        ...

    @property
    def size(self) -> int:
        """Bytes that are settled by what was coded so far; the same in both directions."""
        ...


@njit(cache=True)
def _narrow(state, output, start, stop):
    """Encode: keep [start, stop) of the range, then write the bytes that are settled."""
    low = state[_LOW] + start
    span = stop - start
    position = state[_POSITION]
    if low >= _TOP:
        low -= _TOP
        i = position - 1
        while output[i] == 255:
            output[i] = 0
            i -= 1
        output[i] += 1
    while span < _BOTTOM:
        output[position] = np.uint8(low >> 24)
        position += 1
        low = (low << 8) & _MASK
        span <<= 8
    state[_LOW] = low
    state[_RANGE] = span
    state[_POSITION] = position


@njit(cache=True)
def _follow(state, data, start, stop):
    """Decode: keep [start, stop) of the range, then read as many bytes as are settled."""
    value = state[_VALUE] - start
    span = stop - start
    position = state[_POSITION]
    while span < _BOTTOM:
        byte = np.int64(data[position]) if position < len(data) else np.int64(0)
        position += 1
        value = ((value << 8) | byte) & _MASK
        span <<= 8
    state[_RANGE] = span
    state[_VALUE] = value
    state[_POSITION] = position


@njit(cache=True)
def _encode(state, output, c_lo, c_hi, bits):
    span = state[_RANGE]
    _narrow(state, output, (span * np.int64(c_lo)) >> bits, (span * np.int64(c_hi)) >> bits)


@njit(cache=True)
def _decode(state, data, cdf, bits):
    span = state[_RANGE]
    value = state[_VALUE]
    # The largest c with (span * c >> bits) <= value.
    target = (((value + 1) << bits) - 1) // span
    below = 0
    above = len(cdf) - 1
    # Damaged input may point past the total: the clamp keeps the search inside.
    target = min(target, np.int64(cdf[above]) - 1)
    while above - below > 1:
        middle = (below + above) >> 1
        if np.int64(cdf[middle]) <= target:
            below = middle
        else:
            above = middle
    start = (span * np.int64(cdf[below])) >> bits
    _follow(state, data, start, (span * np.int64(cdf[below + 1])) >> bits)
    return below


@njit(cache=True)
def code_bit(state, buffer, p1, bits, bit):
    """Code one bit in a compiled loop, in the direction that the state stands for.

    Args:
        state, buffer: from `kernel_state` of an `Encoder` or a `Decoder`.
        p1: int64, the probability that the bit is 1, 0 < p1 < 2**bits.
        bits: at most 24.
        bit: 0 or 1 to encode; ignored when decoding.

    Returns:
        The bit.
    """
    span = state[_RANGE]
    # Zero takes the lower part.
    split = (span * ((np.int64(1) << bits) - p1)) >> bits
    if state[_DECODES]:
        bit = np.int64(1) if state[_VALUE] >= split else np.int64(0)
        _follow(state, buffer, split if bit else 0, span if bit else split)
    else:
        _narrow(state, buffer, split if bit else 0, span if bit else split)
    return bit


class Encoder:
    """Range encoder into a growing buffer. `finish` returns the bytes."""

    def __init__(self) -> None:
        self._state = np.array([0, _MASK, 0, 0, 0], dtype=np.int64)
        self._output = np.zeros(1 << 12, dtype=np.uint8)

    def code(self, cdf: np.ndarray, bits: int, symbol: int) -> int:
        """Encode `symbol` by its interval of `cdf` (see `Coder`); return it."""
        state, output = self.kernel_state(1)
        _encode(state, output, cdf[symbol], cdf[symbol + 1], bits)
        return symbol

    def code_bit(self, p1: int, bit: int, bits: int = 16) -> int:
        """Encode a bit that is 1 with probability p1 / 2**bits, 0 < p1 < 2**bits."""
        return int(code_bit(*self.kernel_state(1), np.int64(p1), bits, bit))

    def kernel_state(self, n_bits: int) -> tuple[np.ndarray, np.ndarray]:
        room = int(self._state[_POSITION]) + MAX_BYTES * n_bits
        if room > len(self._output):
            self._output = np.concatenate([self._output, np.zeros(room, dtype=np.uint8)])
        return self._state, self._output

    @property
    def bits(self) -> float:
        return 8 * int(self._state[_POSITION]) + 32 - log2(self._state[_RANGE])

    @property
    def size(self) -> int:
        """Bytes written so far, without what `finish` will add."""
        return int(self._state[_POSITION])

    def finish(self) -> bytes:
        """Return the code: all bytes, trailing zeros left out."""
        low, span, position = (int(x) for x in self._state[:3])
        # The value in [low, low + span) with the most trailing zero bits.
        value = low
        for shift in range(32, -1, -1):
            rounded = ((low + (1 << shift) - 1) >> shift) << shift
            if rounded < low + span:
                value = rounded
                break
        written = int.from_bytes(self._output[:position].tobytes(), "big") << 32
        code = (written + value).to_bytes(position + 4, "big")
        return code.rstrip(b"\0")


class Decoder:
    """Range decoder of what an `Encoder` produced.

    Damaged input never raises here: it gives wrong symbols, which the
    container's checksums report.
    """

    def __init__(self, data: bytes) -> None:
        # A copy, because compiled loops take a writable buffer in both directions.
        self._data = np.frombuffer(data, dtype=np.uint8).copy()
        first = int.from_bytes(data[:4].ljust(4, b"\0"), "big")
        self._state = np.array([0, _MASK, 4, first, 1], dtype=np.int64)

    def code(self, cdf: np.ndarray, bits: int, symbol: int = -1) -> int:
        """Decode and return one symbol; the argument `symbol` is ignored."""
        return int(_decode(self._state, self._data, cdf, bits))

    def code_bit(self, p1: int, bit: int = -1, bits: int = 16) -> int:
        """Decode a bit that is 1 with probability p1 / 2**bits."""
        return int(code_bit(self._state, self._data, np.int64(p1), bits, -1))

    def kernel_state(self, n_bits: int) -> tuple[np.ndarray, np.ndarray]:
        return self._state, self._data

    @property
    def bits(self) -> float:
        # The first 4 bytes were read in advance.
        return 8 * int(self._state[_POSITION]) - log2(self._state[_RANGE])

    @property
    def size(self) -> int:
        return int(self._state[_POSITION]) - 4
