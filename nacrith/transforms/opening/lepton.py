"""JPEG pictures by Lepton (Horn and others 2017): about a fifth smaller, to the byte.

The library is an extra, lepton-jpeg-python, a wheel of the port to Rust. What it has made needs it.
"""

import importlib.metadata
from functools import cache
from typing import Any

from nacrith.errors import ArgumentError, FormatError, UnsupportedError

_PACKAGE = "lepton-jpeg-python"

# Markers: start and end of the picture, start of a scan; those without a length.
_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_ALONE = {0x01, *range(0xD0, 0xD8)}

_LEAST_PICTURE = 256
"""Bytes; Lepton saves nothing of a smaller one."""


@cache
def _library() -> Any:
    """The module; None if it is not installed."""
    try:
        import lepton_jpeg_python
    except ImportError:
        return None
    return lepton_jpeg_python


def version() -> int:
    """Of the library, major, minor and patch in a byte each."""
    parts = importlib.metadata.version(_PACKAGE).split(".")[:3]
    numbers = [int(part) for part in parts if part.isdigit()] + [0, 0, 0]
    return numbers[0] << 16 | numbers[1] << 8 | numbers[2]


def check_installed() -> None:
    """Raise ArgumentError if pictures can't be packed here."""
    if _library() is None:
        raise ArgumentError(f"JPEG pictures need the package {_PACKAGE}: install nacrith[jpeg]")


def end_of_picture(data: memoryview, begin: int) -> int | None:
    """The place behind the JPEG picture that begins at a place; None if there is none."""
    place = begin + 2
    n = len(data)
    while place + 2 <= n:
        if data[place] != 0xFF:
            return None
        marker = data[place + 1]
        place += 2
        if marker == _EOI:
            return place if place - begin >= _LEAST_PICTURE else None
        if marker == 0xFF:
            place -= 1
            continue
        if marker in _ALONE:
            continue
        if marker in (0, _SOI):
            return None
        place += int.from_bytes(data[place : place + 2], "big")
        if marker == _SOS:
            place = _end_of_scan(data, place)
    return None


def _end_of_scan(data: memoryview, place: int) -> int:
    """The next marker that is none of a scan: neither a restart nor an escaped FF."""
    step = 1 << 16
    while place < len(data):
        # With a byte of the next part, for a marker in two of them.
        part = bytes(data[place : place + step + 1])
        found = part.find(b"\xff")
        while 0 <= found < min(step, len(part) - 1):
            following = part[found + 1]
            if following and not 0xD0 <= following <= 0xD7:
                return place + found
            found = part.find(b"\xff", found + 1)
        place += step
    return len(data)


def pack(picture: bytes) -> bytes | None:
    """What Lepton makes of a picture; None if it can't, or not to the byte."""
    library = _library()
    try:
        packed = bytes(library.compress_bytes(picture, {}))
        return packed if bytes(library.decompress_bytes(packed)) == picture else None
    except Exception:
        # Many kinds of JPEG are not supported, each with another error.
        return None


def unpack(packed: bytes, made_by: int) -> bytes:
    """Inverse of `pack`.

    Args:
        made_by: `version` of the library that packed.

    Raises:
        UnsupportedError: the library is not installed.
        FormatError: the data is damaged, or the library does not understand it.
    """
    library = _library()
    name = ".".join(str(made_by >> shift & 255) for shift in (16, 8, 0))
    if library is None:
        raise UnsupportedError(
            f"the file holds JPEG pictures packed by {_PACKAGE} {name}, which is not installed: "
            f"pip install {_PACKAGE}=={name}"
        )
    try:
        return bytes(library.decompress_bytes(packed))
    except Exception as error:
        raise FormatError(
            f"a JPEG picture can't be restored: the file is damaged, or needs {_PACKAGE} {name}"
        ) from error
