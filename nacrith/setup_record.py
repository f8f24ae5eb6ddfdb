"""What `nacrith setup` has done, so that the next one sees that there is nothing to do.

The record lies where compiled kernels do. It holds what their code depends on, and the files
that there must be; all of it can be looked up in a moment, where loading each kernel takes
10 s.
"""

import hashlib
import json
import os
import platform
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import numba
from numba.core.registry import cpu_target

import coder
import nacrith
import predictors
from coder.kernels import KernelCache, cache_folders, intact, write_whole
from nacrith.models.catalog import ModelFile
from predictors.language_models.exact.model_data import kept_at

PACKAGES = tuple(Path(str(package.__file__)).parent for package in (coder, nacrith, predictors))
"""Folders of the code that kernels and models depend on."""


def is_done(model: ModelFile) -> bool:
    """Has all been compiled and unpacked by this very code, and is it still there?"""
    for path in _places(model):
        with suppress(OSError, ValueError, KeyError, TypeError):
            record = json.loads(path.read_text("utf-8"))
            if record["state"] == _state():
                return all(Path(name).exists() for name in record["models"]) and all(
                    intact(Path(name).read_bytes()) for name in record["kernels"]
                )
    return False


def write(model: ModelFile) -> None:
    """Record what this process has loaded and made, if there is a folder for it."""
    kept = kept_at(model.path, model.correction)
    record = {
        "state": _state(),
        "models": [str(kept)] if kept and kept.exists() else [],
        "kernels": sorted(map(str, KernelCache.used)),
    }
    for path in _places(model):
        with suppress(OSError):
            write_whole(path, json.dumps(record).encode())
            return


def _places(model: ModelFile) -> list[Path]:
    """Where a record of this processor, Python and model may be."""
    machine = cpu_target.target_context.codegen().magic_tuple()
    name = _digest([machine, sys.version, model.sha256, model.correction])
    return [folder / f"setup.{name}.json" for folder in cache_folders(Path(coder.__file__))]


def _state() -> str:
    """A hash of the code, the compiler and its settings."""
    files = sorted(path for folder in PACKAGES for path in folder.rglob("*.py"))
    found = [(str(path), s.st_size, s.st_mtime_ns) for path in files for s in [path.stat()]]
    settings = sorted((k, v) for k, v in os.environ.items() if k.startswith("NUMBA_"))
    versions = [nacrith.__version__, numba.__version__, platform.python_version()]
    return _digest([versions, settings, found])


def _digest(value: Any) -> str:
    return hashlib.blake2b(repr(value).encode(), digest_size=16).hexdigest()
