"""Tables of the charsets that are neither UTF-8 nor UTF-16: bytes ↔ characters, both total.

The tables come from Python's codecs, which have not changed from 3.6 to 3.13. That they are
still the same is checked by a hash before one is used, so that another Python refuses a file
instead of restoring other bytes.
"""

import hashlib
import re
from collections.abc import Iterator
from functools import cache

from nacrith.errors import UnsupportedError

CODECS = {
    "windows-1250": "cp1250",
    "windows-1251": "cp1251",
    "windows-1252": "cp1252",
    "windows-1253": "cp1253",
    "windows-1254": "cp1254",
    "windows-1255": "cp1255",
    "windows-1256": "cp1256",
    "iso-8859-2": "iso8859-2",
    "iso-8859-5": "iso8859-5",
    "iso-8859-7": "iso8859-7",
    "koi8-r": "koi8-r",
    "koi8-u": "koi8-u",
    "cp866": "cp866",
    "gb18030": "gb18030",
    "big5": "cp950",
    "shift-jis": "cp932",
    "euc-jp": "euc_jp",
    "euc-kr": "cp949",
}
"""Python's name of each charset."""

DIGESTS = {
    "windows-1250": "bb9d023860e7cad8fbb84db4244247ce57d526b66f116a1a7f188f16a4b41b35",
    "windows-1251": "b6e4c5087be8aada2bbad22d367b642eb677163f30d1a7b9425c32ff747387ef",
    "windows-1252": "1ebe857565079fea2aaba13f016629a25411fc0adbe1902788359a0b36246d26",
    "windows-1253": "633547344340a462dafe6360aa6e3f1e524875abac1d76657588d33ad239cd3b",
    "windows-1254": "4161af5a2c33c9ae27623e107416bd0d98109ca1b3ca4c04dcf2033262f97bb5",
    "windows-1255": "d6ed2a43cd51bc5de95c33bbd3ec6a06c0df60b9f9b286dd7d7c1a446c2bacab",
    "windows-1256": "2594dd447eddaa3a627438b881a1ed275dc0f28afb68229110ee9e4733052563",
    "iso-8859-2": "cb0f10a23e72b4e79ab92b6e47764b5d2e2edbbe9d39e3b427a681929bd9ee21",
    "iso-8859-5": "43e25b9ed3f918f5012556ba41f807c556a7466f1c0f10f919f8ea31d643b675",
    "iso-8859-7": "eabeed0398c6f8a1781098e447db0a108317e2608c5dcfbec1eda9d06a2f6fb2",
    "koi8-r": "e3f3b2869507f1336933d1f99d82e9c5b9741bbd5b25184f86ad7ec54296480d",
    "koi8-u": "9c56c1228a509d11c0a5eb413588ecaf93235f15302e3b1f436486a0f9afd3d8",
    "cp866": "0752cda6635dc49b3aa48fce1a0af235810696394c58bbe4225df39816cecefb",
    "gb18030": "034075f77099efe100ffcf8e7b94d3caec85c23657bc96b22f3f3f0e8e6c4b23",
    "big5": "22f2e5c57d51da87548e9111250a525c5d0fd991179fbaf5bbae27998696379e",
    "shift-jis": "057a3a8203036bc69d097e13389a398444ce9ed62231b6d1a073b5af19c623e5",
    "euc-jp": "9cf24bfd2a2030ee44188100261ceada522e4364f3b58349e674e6b1dcaa7d55",
    "euc-kr": "31e2dc71d00707dda6015ce1695d9a651e3df46f5d1912f638242374e90b3e8c",
}
"""SHA-256 of each table: codes ascending, each in hexadecimal, a space, its character, LF."""

ESCAPE = 0xF700
"""A byte b from 80 on that is part of no code stands as the character `ESCAPE` + b."""

_ESCAPES = range(ESCAPE + 0x80, ESCAPE + 0x100)

# Characters, or codes, that are transcoded at once: bounds the memory.
_PIECE = 1 << 16

# Two-byte codes as GB 18030 had them in the year 2000. Its later editions have moved them, and
# a later Python may follow.
_GB18030_2000 = {
    "A6D9": 0xE78D, "A6DA": 0xE78E, "A6DB": 0xE78F, "A6DC": 0xE790, "A6DD": 0xE791,
    "A6DE": 0xE792, "A6DF": 0xE793, "A6EC": 0xE794, "A6ED": 0xE795, "A6F3": 0xE796,
    "A8BC": 0xE7C7, "FE59": 0xE81E, "FE61": 0xE826, "FE66": 0xE82B, "FE67": 0xE82C,
    "FE6D": 0xE832, "FE7E": 0xE843, "FE90": 0xE854, "FEA0": 0xE864,
}  # fmt: skip

# The rank of U+10000 among the four-byte codes of GB 18030.
_GB18030_PLANES = 189_000

# Codes of Shift-JIS that begin so stand for characters that have a more usual one.
_SHIFT_JIS_DOUBLES = (0xED, 0xEE)

_ASCII_RUN = re.compile(rb"[\x00-\x7f]+")


class CharsetTable:
    """Codes of bytes and their characters. No code is the beginning of another.

    Attributes:
        char_of: by code; of the codes with the same character only the lowest.
        code_of: its inverse, and the byte of each escape.
    """

    def __init__(self, char_of: dict[bytes, str], code_of: dict[str, bytes]) -> None:
        self.char_of = char_of
        self.code_of = code_of
        for escape in _ESCAPES:
            code_of[chr(escape)] = bytes([escape - ESCAPE])
        self._lengths = sorted({len(code) for code in char_of})

    def decode(self, data: bytes) -> str:
        """Any bytes to characters; `encode` brings them back."""
        return "".join(self._decoded_pieces(data))

    def _decoded_pieces(self, data: bytes) -> Iterator[str]:
        char_of, lengths = self.char_of, self._lengths
        parts = []
        i = 0
        while i < len(data):
            if run := _ASCII_RUN.match(data, i):
                parts.append(run[0].decode("ascii"))
                i = run.end()
                continue
            for length in lengths:
                char = char_of.get(data[i : i + length])
                if char:
                    parts.append(char)
                    i += length
                    break
            else:
                parts.append(chr(ESCAPE + data[i]))
                i += 1
            if len(parts) >= _PIECE:
                yield "".join(parts)
                parts.clear()
        yield "".join(parts)

    def encode(self, text: str) -> bytes:
        """Inverse of `decode`; raises UnicodeError for characters it doesn't make."""
        try:
            return b"".join(
                b"".join(map(self.code_of.__getitem__, text[i : i + _PIECE]))
                for i in range(0, len(text), _PIECE)
            )
        except KeyError as error:
            raise UnicodeError(f"the charset has no {error.args[0]!r}") from error


@cache
def table_of(charset: str) -> CharsetTable:
    """The table of a charset of `CODECS`.

    Raises:
        UnsupportedError: this Python has another one.
    """
    char_of = _read_codec(CODECS[charset])
    code_of: dict[str, bytes] = {}
    for code, char in list(char_of.items()):
        if char in code_of or (charset == "shift-jis" and code[0] in _SHIFT_JIS_DOUBLES):
            del char_of[code]
        else:
            code_of[char] = code
    if digest(char_of) != DIGESTS[charset]:
        raise UnsupportedError(
            f"this file holds text in {charset}, of which this version of Python has another "
            "table than the one that is needed; use nacrith with Python 3.13"
        )
    if charset == "gb18030":
        return CharsetTable(*_with_four_bytes(char_of, code_of))
    return CharsetTable(char_of, code_of)


def digest(char_of: dict[bytes, str]) -> str:
    """As in `DIGESTS`."""
    lines = (f"{code.hex()} {char}\n" for code, char in sorted(char_of.items()))
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogatepass")).hexdigest()


def _read_codec(codec: str) -> dict[bytes, str]:
    """Codes with their characters, ascending; ASCII is taken as it is."""
    high = range(0x80, 0x100)
    codes = [bytes([byte]) for byte in range(0x100)]
    if codec in ("gb18030", "cp950", "cp932", "euc_jp", "cp949"):
        codes += [bytes([lead, trail]) for lead in high for trail in range(0x30, 0x100)]
    if codec == "euc_jp":
        codes += [bytes([0x8F, row, cell]) for row in high for cell in high]
    char_of = {}
    for code in codes:
        if code[0] < 0x80:
            char_of[code] = chr(code[0])
        elif codec == "gb18030" and code.hex().upper() in _GB18030_2000:
            char_of[code] = chr(_GB18030_2000[code.hex().upper()])
        else:
            try:
                char = _decoded(code, codec)
            except UnicodeDecodeError:
                continue
            if len(char) == 1:
                char_of[code] = char
    return char_of


def _decoded(code: bytes, codec: str) -> str:
    return code.decode(codec)


def _with_four_bytes(
    char_of: dict[bytes, str], code_of: dict[str, bytes]
) -> tuple[dict[bytes, str], dict[str, bytes]]:
    """GB 18030 has four bytes for all other characters, in the order of Unicode."""
    others = (chr(c) for c in (*range(0x80, 0xD800), *range(0xE000, 0x10000)))
    for rank, char in enumerate([char for char in others if char not in code_of]):
        if ord(char) not in _ESCAPES:
            code_of[char] = _four_bytes(rank)
            char_of[code_of[char]] = char
    return _Planes(char_of), _PlaneCodes(code_of)


def _four_bytes(rank: int) -> bytes:
    rank, d = divmod(rank, 10)
    rank, c = divmod(rank, 126)
    a, b = divmod(rank, 10)
    return bytes([0x81 + a, 0x30 + b, 0x81 + c, 0x30 + d])


class _Planes(dict[bytes, str]):
    """Finds the characters from U+10000 on by computation."""

    def get(self, code: bytes, default: str | None = None) -> str | None:  # type: ignore[override]
        return super().get(code, default) or _beyond(code)


def _beyond(code: bytes) -> str | None:
    if len(code) != 4:
        return None
    a, b, c, d = code[0] - 0x81, code[1] - 0x30, code[2] - 0x81, code[3] - 0x30
    if not (0 <= a < 126 and 0 <= b < 10 and 0 <= c < 126 and 0 <= d < 10):
        return None
    plane = ((a * 10 + b) * 126 + c) * 10 + d - _GB18030_PLANES
    return chr(0x10000 + plane) if 0 <= plane < 0x100000 else None


class _PlaneCodes(dict[str, bytes]):
    """Finds the codes of the characters from U+10000 on by computation."""

    def __missing__(self, char: str) -> bytes:
        if ord(char) < 0x10000:
            raise KeyError(char)
        return _four_bytes(_GB18030_PLANES + ord(char) - 0x10000)
