"""The first bits of a payload, read by Python alone.

Where a file is only looked at, no kernel is needed, and what compiles them takes longer to be
imported than all else.
"""

_BOTTOM = 1 << 24
_MASK = (1 << 32) - 1


class BitDecoder:
    """Decodes bits as `coder.Decoder` does, and nothing else."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 4
        self._value = int.from_bytes(data[:4].ljust(4, b"\0"), "big")
        self._range = _MASK

    def code_bit(self, p1: int, bit: int = -1, bits: int = 16) -> int:
        """Decode a bit that is 1 with probability p1 / 2**bits."""
        # Zero takes the lower part.
        split = self._range * ((1 << bits) - p1) >> bits
        one = self._value >= split
        if one:
            self._value -= split
            self._range -= split
        else:
            self._range = split
        while self._range < _BOTTOM:
            byte = self._data[self._place] if self._place < len(self._data) else 0
            self._place += 1
            self._value = (self._value << 8 | byte) & _MASK
            self._range <<= 8
        return int(one)
