"""Compiles kernels with numba, and keeps what the compiler made.

`njit` is numba's, but for where compiled code is kept. numba's own cache refuses to
compile if no folder can be written to, fails the run if it can't save, loads damaged
code, and does not see that a constant or a kernel of another module has changed.
Here a cache is a help and never a condition: what can't be loaded is compiled.
"""

import functools
import hashlib
import inspect
import os
import pickle
import sys
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import numpy as np

with warnings.catch_warnings(record=True) as _caught:
    warnings.simplefilter("always", RuntimeWarning)
    import numba
from numba.core.serialize import dumps

from coder.compiling import notice
from coder.kept_code import keep, ready
from coder.messages import say_once

_LAYOUT = b"3"
"""Of what is kept; it changes with `KeptCode`."""

_DIGEST_SIZE = 16
"""Bytes of the BLAKE2b hash in front of what a file of the cache holds."""


for _warning in _caught:
    # numba goes on with its default, after a warning that holds a whole traceback.
    say_once(f"nacrith: {str(_warning.message).partition(chr(10))[0]}; it is ignored")


def njit(
    *functions: Callable[..., Any], cache: bool = False, counted: bool = True, **options: Any
) -> Any:
    """`numba.njit` whose cache is a `KernelCache`.

    Args:
        counted: False = references to arrays are not counted in this kernel, which must make
            none. Counting is atomic: for a loop that hands a dozen arrays to what is inlined in
            it, half of the time.
    """
    if not functions:
        return functools.partial(njit, cache=cache, counted=counted, **options)
    if not counted:
        options["_nrt"] = False
    dispatcher = numba.njit(**options)(*functions)
    # With NUMBA_DISABLE_JIT it is the function itself.
    if cache and hasattr(dispatcher, "enable_caching"):
        dispatcher._cache = KernelCache(dispatcher.py_func)
    return dispatcher


def inlined(function: Callable[..., Any]) -> Any:
    """`njit` for the small functions of an inner loop, which own no arrays.

    They become part of their callers. References to arrays are not counted, which in a loop
    over many arrays takes more time than all else; so they can't make an array. Divisors
    are not asked whether they are 0.
    """
    return njit(cache=True, forceinline=True, error_model="numpy", _nrt=False)(function)


def cache_folders(source: Path) -> list[Path]:
    """Where the compiled code of a source file is looked for, and kept if that is possible.

    The folder that NUMBA_CACHE_DIR names; without it `__pycache__` beside the source
    and then the user's cache folder, `nacrith/kernels` in $XDG_CACHE_HOME or ~/.cache.
    """
    own = f"{source.parent.name}-{hashlib.blake2b(os.fsencode(source.parent)).hexdigest()[:16]}"
    if given := os.environ.get("NUMBA_CACHE_DIR"):
        return [Path(given, own)]
    folders = [source.parent / "__pycache__"]
    # No home: no variable and no entry in the list of users.
    with suppress(RuntimeError):
        cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        folders.append(Path(cache, "nacrith", "kernels", own))
    return folders


def intact(data: bytes) -> bool:
    """Is this a file of the cache as it was written?"""
    return data[:_DIGEST_SIZE] == _digest(data[_DIGEST_SIZE:])


class KernelCache:
    """The compiled code of one kernel: a file for each signature and processor.

    Attributes:
        used: files that were loaded or written in this process, of all kernels.
    """

    used: ClassVar[set[Path]] = set()

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._source = Path(inspect.getfile(function))
        line = function.__code__.co_firstlineno
        self._name = f"{self._source.stem}.{function.__qualname__}-{line}"
        self._enabled = True

    @property
    def cache_path(self) -> str:
        return str(cache_folders(self._source)[0])

    def enable(self) -> None:
        self._enabled = True

    def disable(self) -> None:
        self._enabled = False

    def flush(self) -> None:
        for folder in cache_folders(self._source):
            for path in folder.glob(f"{self._name}.*.nbc"):
                path.unlink()

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The code compiled for a signature; None if there is none that can be used."""
        if found := self._load(sig, target_context):
            return found
        # What follows is compiling, and then `save_overload`.
        notice.began()
        return None

    def _load(self, sig: Any, target_context: Any) -> Any:
        if not self._enabled:
            return None
        name = self._file_name(sig, target_context.codegen())
        for folder in cache_folders(self._source):
            try:
                data = (folder / name).read_bytes()
            except OSError:
                continue
            stamped = data[_DIGEST_SIZE:]
            if not intact(data):
                say_once("nacrith: damaged files of compiled kernels are made again")
            elif stamped[:_DIGEST_SIZE] == self._stamp():
                self.used.add(folder / name)
                return ready(target_context, pickle.loads(stamped[_DIGEST_SIZE:]))
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep the code compiled for a signature, if there is a folder for it."""
        notice.ended()
        if not self._enabled or data.library.has_dynamic_globals or data.lifted:
            return
        name = self._file_name(sig, data.codegen)
        stamped = self._stamp() + dumps(keep(data))
        problem: OSError | None = None
        for folder in cache_folders(self._source):
            try:
                write_whole(folder / name, _digest(stamped) + stamped)
                self.used.add(folder / name)
                return
            except OSError as error:
                problem = problem or error
        if problem:
            say_once(
                f"nacrith: compiled kernels can't be kept ({problem.strerror}), so that each run "
                "takes a minute longer; name a folder for them with NUMBA_CACHE_DIR"
            )

    def _stamp(self) -> bytes:
        """A hash of all that the code depends on but for signature and processor.

        These are numba's version, and the names, source files and global constants of the
        kernel and of all kernels that it calls.
        """
        parts = [_LAYOUT, numba.__version__.encode()]
        for function, named in _callees(self._function, set()):
            # Kept code imports the modules by their names.
            parts.append(f"{function.__module__}.{function.__qualname__}".encode())
            parts.append(_hash_of_file(inspect.getfile(function)))
            for name, value in named:
                parts += [name.encode(), _constant(value)]
        return _digest(b"".join(b"%d " % len(part) + part for part in parts))

    def _file_name(self, sig: Any, codegen: Any) -> str:
        python = f"py{sys.version_info[0]}{sys.version_info[1]}{getattr(sys, 'abiflags', '')}"
        key = repr((sig, codegen.magic_tuple()))
        return f"{self._name}.{python}.{_digest(key.encode()).hex()}.nbc"


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=_DIGEST_SIZE).digest()


def write_whole(path: Path, data: bytes) -> None:
    """Write a file, whole or not at all, and its folder; raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{uuid.uuid4().hex[:16]}.tmp")
    try:
        part.write_bytes(data)
        os.replace(part, path)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise


_Named = list[tuple[str, Any]]


def _callees(
    function: Callable[..., Any], seen: set[Any]
) -> Iterator[tuple[Callable[..., Any], _Named]]:
    """The kernel and those that it calls, each once, in the order of their names, each with what
    it refers to, by name."""
    if function in seen:
        return
    seen.add(function)
    named = sorted(_globals_of(function).items())
    yield function, named
    for _, value in named:
        # What numba calls a dispatcher, and an intrinsic.
        called = getattr(value, "py_func", None) or getattr(value, "_defn", None)
        if called:
            yield from _callees(called, seen)


def _globals_of(function: Callable[..., Any]) -> dict[str, Any]:
    """What a function refers to, by name; "module.name" for what it takes from a module."""
    found = inspect.getclosurevars(function)
    named = {**found.globals, **found.nonlocals}
    for name, value in list(named.items()):
        if isinstance(value, ModuleType):
            # Asking a module for what it has not takes long.
            has = vars(value)
            named |= {f"{name}.{n}": has[n] for n in function.__code__.co_names if n in has}
    return named


def _constant(value: Any) -> bytes:
    """The value of a constant, as compiled code holds it; empty for all else."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {value.shape}".encode() + value.tobytes()
    if isinstance(value, tuple):
        return b"".join(_digest(_constant(item)) for item in value)
    if isinstance(value, (int, float, str, bytes, np.generic)):
        return f"{type(value).__name__} {value!r}".encode()
    return b""


@functools.cache
def _hash_of_file(path: str) -> bytes:
    """Empty if it can't be read, as in an archive."""
    try:
        return _digest(Path(path).read_bytes())
    except OSError:
        return b""
