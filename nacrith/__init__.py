"""Nacrith: a lossless compressor that reads text with a small language model."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from nacrith.errors import NacrithError
from nacrith.system.environment import check_environment

if TYPE_CHECKING:
    from nacrith.api import compress, decompress, open
    from nacrith.integrations import register
    from nacrith.message_codec import Codec
    from nacrith.stream_objects import compressobj, decompressobj

__version__ = "0.9.1"

__all__ = [
    "Codec", "NacrithError", "compress", "compressobj", "decompress", "decompressobj", "open",
    "register",
]  # fmt: skip

_MODULES = {
    "Codec": "nacrith.message_codec",
    "compress": "nacrith.api",
    "compressobj": "nacrith.stream_objects",
    "decompress": "nacrith.api",
    "decompressobj": "nacrith.stream_objects",
    "open": "nacrith.api",
    "register": "nacrith.integrations",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for at first use (PEP 562), so that `import nacrith` is quick."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # Some values would end the import of a library with its own errors.
    check_environment()
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    """The interface, and none of the modules that are loaded for it."""
    return sorted([*__all__, "__version__"])
