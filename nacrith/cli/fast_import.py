"""numba, imported without what it imports in vain."""

import sys
from pathlib import Path
from typing import Any, cast

_SETTINGS = ".numba_config.yaml"


def import_numba() -> None:
    """Import numba, for the command alone, whose process has no other threads that import.

    numba reads a file of settings in the current folder with PyYAML, which takes 0.015 s to
    import, whether there is one or not.
    """
    modules = cast(dict[str, Any], sys.modules)
    if "numba" in modules or "yaml" in modules or Path(_SETTINGS).exists():
        return
    # What is None is not found.
    modules["yaml"] = None
    try:
        import coder.kernels  # noqa: F401
    finally:
        del modules["yaml"]
