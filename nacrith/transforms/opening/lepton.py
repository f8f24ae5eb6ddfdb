"""JPEG pictures by Lepton (Horn and others 2017), which version 0.5.0 made if it was told to.

The library is an extra, lepton-jpeg-python, a wheel of the port to Rust. What it has made needs it.
"""

from functools import cache
from typing import Any

from nacrith.errors import FormatError, UnsupportedError

_PACKAGE = "lepton-jpeg-python"


@cache
def _library() -> Any:
    """The module; None if it is not installed."""
    try:
        import lepton_jpeg_python
    except ImportError:
        return None
    return lepton_jpeg_python


def unpack(packed: bytes, made_by: int) -> bytes:
    """The picture of which the library made this.

    Args:
        made_by: version of the library that packed: major, minor and patch in a byte each.

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
