"""The command line of a checkout, as its user runs it: seconds and memory."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from nacrith.errors import NacrithError

# Reading the memory map of a process takes it about a millisecond.
_SAMPLE_SECONDS = 0.02

_PSS = "Pss:"


@dataclass(frozen=True)
class Taken:
    """What a run took: seconds, and at most so many bytes of memory (resident)."""

    seconds: float
    peak: int


def run(
    arguments: Iterable[object], root: Path, environment: Mapping[str, str] | None = None
) -> Taken:
    """Run `nacrith` with these arguments, absolute paths among them, from the checkout `root`.

    Raises:
        NacrithError: it failed.
    """
    with tempfile.TemporaryFile() as errors:
        begin = time.perf_counter()
        process = _start(arguments, root, environment or {}, errors)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            errors.seek(0)
            said = errors.read().decode("utf-8", "replace").strip()
            raise NacrithError(f"nacrith of {root} failed: {said}")
    # Linux counts in KiB, macOS in bytes.
    return Taken(seconds, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024))


def there_and_back(
    original: Path,
    root: Path,
    environment: Mapping[str, str] | None = None,
    options: Iterable[object] = (),
) -> tuple[Taken, Taken, int]:
    """Compress a file, FILE.nc beside it, and restore it.

    Args:
        options: of compression.

    Returns:
        What compression took, what decompression took, and the bytes of the compressed file.

    Raises:
        NacrithError: a run failed, or restored something else.
    """
    packed, restored = (original.with_name(original.name + end) for end in (".nc", ".back"))
    there = run(("compress", "-q", "-f", *options, "-o", packed, original), root, environment)
    back = run(("decompress", "-q", "-f", "-o", restored, packed), root, environment)
    if restored.read_bytes() != original.read_bytes():
        raise NacrithError(f"nacrith of {root} did not restore {original.name}")
    return there, back, packed.stat().st_size


def peak_pss(commands: Iterable[Iterable[object]], root: Path) -> int:
    """Bytes that runs at the same time take at most together; pages they share count once.

    Raises:
        NacrithError: one failed.
    """
    processes = [_start(arguments, root, {}, subprocess.DEVNULL) for arguments in commands]
    peak = 0
    while any(process.poll() is None for process in processes):
        peak = max(peak, sum(_pss_of(process.pid) for process in processes))
        time.sleep(_SAMPLE_SECONDS)
    if any(process.returncode for process in processes):
        raise NacrithError(f"nacrith of {root} failed")
    return peak


def _pss_of(pid: int) -> int:
    """Proportional set size in bytes; 0 where the system does not tell it."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines():
            if line.startswith(_PSS):
                return int(line.split()[1]) << 10
    return 0


def _start(
    arguments: Iterable[object], root: Path, environment: Mapping[str, str], errors: object
) -> "subprocess.Popen[bytes]":
    own = {"PYTHONPATH": str(root), **environment}
    # As installed packages have it.
    inherited = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.Popen(
        [sys.executable, "-m", "nacrith", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=errors,  # type: ignore[call-overload]
        env={**inherited, **own},
        # Python looks for modules here first.
        cwd=root,
    )
