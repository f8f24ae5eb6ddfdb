"""How much of headers is read in search of pictures and sound.

Headers cost nothing to forge: thousands of them may share one long table.
"""

_SHARE = 4
"""Bytes of the data for each number."""

_LEAST = 1 << 16
"""Numbers that may be read of any data."""


class Budget:
    """Numbers that may still be read: the time is in proportion to the data, whatever it is."""

    def __init__(self, size: int):
        """Of data of so many bytes."""
        self._left = size // _SHARE + _LEAST

    def take(self, n: int) -> bool:
        """Take n from what is left; False if there are not so many."""
        if n > self._left:
            return False
        self._left -= n
        return True
