"""Unsigned integers of 1 to 9 bytes: LEB128, limited to 63 bits."""

from nacrith.errors import FormatError
from nacrith.plural import counted

MAX_BYTES = 9


def to_varint(value: int) -> bytes:
    """Seven bits a byte, least significant first; the high bit means "more"."""
    if not 0 <= value < 1 << 63:
        raise ValueError(f"{value} is not in the range of a varint")
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


class Reader:
    """Takes fields off a byte string; never reads past its end."""

    def __init__(self, data: bytes, what: str) -> None:
        """`what` names the part of the file in error messages."""
        self._data = data
        self._what = what
        self._position = 0

    @property
    def left(self) -> int:
        """Bytes not taken yet."""
        return len(self._data) - self._position

    def take(self, n: int) -> bytes:
        """Take n bytes; raises FormatError if fewer are left."""
        if n > self.left:
            raise FormatError(f"the {self._what} is damaged: a field is longer than its part")
        self._position += n
        return self._data[self._position - n : self._position]

    def rest(self) -> bytes:
        return self.take(self.left)

    def byte(self) -> int:
        return self.take(1)[0]

    def varint(self) -> int:
        """Take a varint; raises FormatError if it is cut off, too long or padded."""
        value = 0
        for i in range(MAX_BYTES):
            byte = self.byte()
            value |= (byte & 0x7F) << (7 * i)
            if byte < 0x80:
                if byte == 0 and i:
                    break
                return value
        raise FormatError(f"the {self._what} is damaged: a number is not well formed")

    def string(self) -> str:
        """Take a length-prefixed UTF-8 string."""
        raw = self.take(self.varint())
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise FormatError(f"the {self._what} is damaged: a name is not UTF-8") from error

    def end(self) -> None:
        """Raise FormatError unless everything has been taken."""
        if self.left:
            raise FormatError(f"the {self._what} is damaged: {counted(self.left, 'byte')} too many")
