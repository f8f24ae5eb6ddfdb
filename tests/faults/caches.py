"""Compiled kernels that a power cut or a bad disk has damaged."""

from collections.abc import Iterator
from pathlib import Path

from tests.faults.lab import Fault, Lab, must


def damaged_kernels(lab: Lab, times: int) -> Iterator[str]:
    cache = lab.folder.parent / "kernels"
    environment = {**lab.environment, "NUMBA_CACHE_DIR": str(cache)}

    def packed() -> tuple[bytes, str]:
        code, output, error = lab.run("compress", "-c", "a", env=environment)
        must(code == 0, f"exit code {code}: {error}")
        return output, error

    lab.clear()
    # Without text few kernels are needed, which is quicker to compile.
    lab.put("a", lab.random.randbytes(200) + bytes(range(256)) * 4)
    right, _ = packed()
    sound = {path: path.read_bytes() for path in sorted(cache.rglob("*.nbc"))}
    must(bool(sound), "no compiled kernels were kept")
    for i in range(times):
        how = list(_WAYS)[i // 2 % len(_WAYS)]
        everyone = i % 2 == 0
        for path, data in sound.items():
            path.write_bytes(data)
        for path in sound if everyone else [lab.random.choice(list(sound))]:
            _WAYS[how](lab, path)
        output, error = packed()
        must(output == right, "another file was made")
        # A kernel that others call is a part of their code, and seldom read.
        must(bool(error) or not everyone, "no message")
        must(not error or _is_told(error), f"message: {error!r}")
        must(packed() == (right, ""), "the next run found them damaged again")
        yield f"{'all' if everyone else 'one'} {how}: {'made again' if error else 'not needed'}"


def _is_told(error: str) -> bool:
    return error.count("\n") == 1 and "made again" in error


def _empty(lab: Lab, path: Path) -> None:
    path.write_bytes(b"")


def _cut(lab: Lab, path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: lab.random.randrange(len(data))])


def _flip(lab: Lab, path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[lab.random.randrange(len(data))] ^= 1 << lab.random.randrange(8)
    path.write_bytes(data)


_WAYS = {"empty": _empty, "cut": _cut, "with a bit flipped": _flip}

FAULTS = [
    Fault(
        "compiled kernels damaged",
        "Exit code 0, the right file, and one line that says so; they are made again.",
        12,
        damaged_kernels,
    ),
]
