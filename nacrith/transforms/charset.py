"""Text that is not UTF-8 is transcoded to it: language models have read little else."""

from collections import Counter

from nacrith.errors import UnsupportedError
from nacrith.transforms.charset_detection import guess
from nacrith.transforms.charset_table import table_of
from nacrith.transforms.transforms_made import CHARSETS

_UTF16 = (1, 2)
_BYTE_ORDER_MARKS = {b"\xff\xfe": 1, b"\xfe\xff": 2}
# What is looked at, in bytes.
_SAMPLE = 1 << 16
_MIN_SIZE = 16


def detect(text: bytes) -> int:
    """The number of the charset to transcode from; 0 if the text is best left alone."""
    if utf16 := utf16_order(text):
        return utf16
    charset = guess(text).charset
    if not charset:
        return 0
    try:
        table_of(charset)
    except UnsupportedError:
        return 0
    return CHARSETS.index(charset)


def utf16_order(data: bytes) -> int:
    """1 or 2 if all of the data is UTF-16 text (little- or big-endian), else 0.

    It is told by its byte order mark, or because most high bytes are one and the same
    that is rare in 8-bit text.
    """
    if len(data) < _MIN_SIZE or len(data) % 2:
        return 0
    sample = data[:_SAMPLE]
    order = _BYTE_ORDER_MARKS.get(data[:2], 0)
    for number, high in zip(_UTF16, (sample[1::2], sample[::2]), strict=True):
        byte, count = Counter(high).most_common(1)[0]
        if 2 * count > len(high) and byte < 0x20 and byte not in b"\t\n\r":
            order = order or number
    if not order:
        return 0
    try:
        text = data.decode(CHARSETS[order])
    except UnicodeDecodeError:
        return 0
    text = text[:_SAMPLE]
    printable = sum(character.isprintable() or character in "\t\n\r\ufeff" for character in text)
    return order if printable >= 0.98 * len(text) else 0


def to_utf8(text: bytes, charset: int) -> bytes:
    """Transcode from the charset of this number; any bytes, but UTF-16 must be well formed.

    Raises:
        UnsupportedError: this Python has another table of the charset.
    """
    if not charset:
        return text
    name = CHARSETS[charset]
    decoded = text.decode(name) if charset in _UTF16 else table_of(name).decode(text)
    return decoded.encode("utf-8")


def from_utf8(text: bytes, charset: int) -> bytes:
    """Inverse of `to_utf8`.

    Raises:
        UnicodeError: it can't have made this.
        UnsupportedError: this Python has another table of the charset.
    """
    if not charset:
        return text
    name = CHARSETS[charset]
    decoded = text.decode("utf-8")
    return decoded.encode(name) if charset in _UTF16 else table_of(name).encode(decoded)
