"""What this machine has: memory."""

import os
import re
from contextlib import suppress
from pathlib import Path

_AVAILABLE = re.compile(r"^MemAvailable: +(\d+) kB$", re.MULTILINE)


def available_memory() -> int:
    """Bytes that can be taken without swapping."""
    with suppress(OSError):
        # What psutil reads too, which takes 0.04 s to be imported.
        if found := _AVAILABLE.search(Path("/proc/meminfo").read_text("ascii")):
            return int(found[1]) << 10
    import psutil

    return int(psutil.virtual_memory().available)


def total_memory() -> int:
    """Bytes of memory that this machine has."""
    with suppress(AttributeError, ValueError, OSError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    import psutil

    return int(psutil.virtual_memory().total)
