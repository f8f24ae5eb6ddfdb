"""Numbers as people write them: bytes (4096, 64K, 4MiB, 1:2G) and lengths of time."""

import re

LARGEST = (1 << 63) - 1
"""The most bytes that a file can have."""

_PERCENT = re.compile(r"(\d{1,3}) ?%", re.ASCII)

_UNITS = {"": 0, "k": 10, "m": 20, "g": 30, "t": 40}


def parse_bytes(text: str) -> int:
    """A number with a suffix K, M, G or T (powers of 1,024, as in xz); raises ValueError."""
    match = re.fullmatch(r"(\d{1,19}) ?([kmgt]?)(?:i?b)?", text.strip(), re.IGNORECASE | re.ASCII)
    size = int(match[1]) << _UNITS[match[2].lower()] if match else LARGEST + 1
    if size > LARGEST:
        raise ValueError(f"{text!r} is not a number of bytes such as 4096, 64K or 4M")
    return size


def parse_limit(text: str) -> int:
    """A limit of memory in bytes, as xz takes it; raises ValueError.

    A number as of `parse_bytes`, or a share of the machine's memory such as 50%; 0 and max are
    no limit, 0.
    """
    if text.strip().lower() in ("0", "max"):
        return 0
    if match := _PERCENT.fullmatch(text.strip()):
        if not 1 <= int(match[1]) <= 100:
            raise ValueError(f"{text!r} is not a share of the memory from 1% to 100%")
        from nacrith.system.resources import total_memory

        return total_memory() * int(match[1]) // 100
    try:
        return parse_bytes(text)
    except ValueError:
        raise ValueError(f"{text!r} is not an amount of memory such as 800M, 2G or 50%") from None


def parse_range(text: str) -> range:
    """A:B, A: or :B, from byte A up to and without byte B; raises ValueError."""
    start, colon, stop = text.partition(":")
    if not colon:
        raise ValueError(f"{text!r} is not a range such as 1000:2000, 4M: or :64K")
    result = range(parse_bytes(start) if start else 0, parse_bytes(stop) if stop else LARGEST + 1)
    if result.start > result.stop:
        raise ValueError(f"{text!r} ends before it begins")
    return result


def duration(seconds: float) -> str:
    """A length of time in its two largest units."""
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02} min"


def memory_size(n_bytes: float) -> str:
    """Bytes of memory in MiB or GiB."""
    mebibytes = n_bytes / (1 << 20)
    return f"{mebibytes:.0f} MiB" if mebibytes < 1000 else f"{mebibytes / 1024:.1f} GiB"
