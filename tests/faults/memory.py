"""Peak resident memory of compressing and restoring, from a pipe."""

import resource
import subprocess
import sys

from tests.faults.lab import Lab, must

# Runs a command and says its peak memory in KiB: children of one process can't be
# told apart by `getrusage`.
_METER = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(code)
"""
_PIECE = 1 << 20


def section(lab: Lab, quick: bool) -> str:
    """A table of the peak memory for several sizes."""
    lines = []
    for mib in (1, 8) if quick else (8, 64, 256):
        packed, up = _measure(lab, "compress", _data(lab) * mib)
        _, down = _measure(lab, "decompress", packed)
        lines.append(f"| {mib} MiB | {len(packed):,} | {up} MiB | {down} MiB |")
    return (
        "## Memory\n\n"
        "Peak resident memory with frames of 4 MiB and the tiny model, so that what the frames\n"
        "take is seen. Three quarters are zeros, one quarter is random; input from a pipe.\n\n"
        "| input | compressed bytes | compress | decompress |\n| ---: | ---: | ---: | ---: |\n"
        + "\n".join(lines)
        + "\n"
    )


def _data(lab: Lab) -> bytes:
    return lab.random.randbytes(_PIECE // 4) + bytes(3 * _PIECE // 4)


def _measure(lab: Lab, name: str, data: bytes) -> tuple[bytes, int]:
    """Return standard output, and the peak in MiB."""
    command = lab.command(name, *(["--block-size", "4M"] if name == "compress" else []), "-c")
    result = subprocess.run(
        [sys.executable, "-c", _METER, *command],
        input=data, cwd=lab.folder, env=lab.environment, capture_output=True, check=False,
    )  # fmt: skip
    must(result.returncode == 0, result.stderr.decode())
    kib = int(result.stderr.split()[-1]) // (1024 if sys.platform == "darwin" else 1)
    return result.stdout, kib >> 10


def limit(extra: int) -> None:
    """Let this process map `extra` bytes more than it does now."""
    with open("/proc/self/statm") as file:
        pages = int(file.read().split()[0])
    most = pages * resource.getpagesize() + extra
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
