"""Text that is not UTF-8 is transcoded to it: language models have read little else."""

from collections import Counter

CHARSETS = ("utf-8", "latin-1", "utf-16-le", "utf-16-be")
"""By number in the file; 0 = left as it is."""

_BYTE_ORDER_MARKS = {b"\xff\xfe": 2, b"\xfe\xff": 3}
# What is looked at, in bytes.
_SAMPLE = 1 << 16
_MIN_SIZE = 16


def detect(text: bytes) -> int:
    """The number of the charset to transcode from; 0 if the text is best left alone."""
    if utf16 := utf16_order(text):
        return utf16
    if text.isascii():
        return 0
    # Bytes that are not UTF-8, against characters that are.
    decoded = text.decode("utf-8", errors="replace")
    invalid = decoded.count("\ufffd")
    valid = sum(character > "\x7f" for character in decoded) - invalid
    return 1 if invalid > valid else 0


def utf16_order(data: bytes) -> int:
    """2 or 3 if all of the data is UTF-16 text (little- or big-endian), else 0.

    It is told by its byte order mark, or because most high bytes are one and the same
    that is rare in 8-bit text.
    """
    if len(data) < _MIN_SIZE or len(data) % 2:
        return 0
    sample = data[:_SAMPLE]
    order = _BYTE_ORDER_MARKS.get(data[:2], 0)
    for number, high in ((2, sample[1::2]), (3, sample[::2])):
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
    """Transcode from the charset of this number; what `detect` found comes back whole."""
    return text.decode(CHARSETS[charset]).encode("utf-8") if charset else text


def from_utf8(text: bytes, charset: int) -> bytes:
    """Inverse of `to_utf8`; raises UnicodeError for what that can't have made."""
    return text.decode("utf-8").encode(CHARSETS[charset]) if charset else text
