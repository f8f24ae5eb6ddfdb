"""Files that hold compressed streams: what opening these saves, and which can be closed again."""

import io
import lzma
import shutil
import subprocess
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from nacrith.bench.document_makers import maker_of
from nacrith.bench.document_samples import samples
from nacrith.bench.markdown import table
from nacrith.bench.store import cached
from nacrith.format.frame import MAX_ORIGINAL
from nacrith.pipeline.compress import compress_stream
from nacrith.pipeline.decompress import decompress_stream
from nacrith.pipeline.options import CompressOptions
from nacrith.pipeline.presets import LEVELS
from nacrith.transforms.opening.expanding import expand, restore
from nacrith.transforms.opening.limits import ALL_STREAMS, NOTHING, Inside

Sample = tuple[str, str, bytes]

_WITH_MODEL = 6


def files_in(paths: Iterable[Path]) -> Iterator[Path]:
    """The files, with those in folders; links are left out."""
    for path in paths:
        if path.is_dir():
            yield from (p for p in sorted(path.rglob("*")) if p.is_file() and not p.is_symlink())
        else:
            yield path


def measure(data: bytes, level: int) -> dict[str, Any]:
    """Sizes of a file by other programs, and by this with its streams closed and opened.

    Returns:
        `bytes`, `xz`, `7z` (None if it is not found), `closed`, `opened`; `streams`,
        how many were `perfect`, and the bytes that make them again, `payload`.
    """
    expanded = expand(data[:MAX_ORIGINAL])
    return {
        "bytes": len(data),
        "xz": len(lzma.compress(data, preset=9 | lzma.PRESET_EXTREME)),
        "7z": _seven_zip(data),
        "closed": _size(data, level, NOTHING),
        "opened": _size(data, level, ALL_STREAMS),
        "streams": expanded.streams if expanded else 0,
        "perfect": expanded.perfect if expanded else 0,
        "payload": len(expanded.payload) if expanded else 0,
    }


def _measured(name: str, data: bytes, level: int) -> dict[str, Any]:
    """What `measure` says, kept in build/bench."""
    key = f"document-{level}-{name}-{zlib.crc32(data):08x}".replace(" ", "-")
    return cached(key, lambda: measure(data, level))


def _size(data: bytes, level: int, inside: Inside) -> int:
    """Of the compressed file, which is restored and compared."""
    preset = LEVELS[level]
    options = CompressOptions(preset=preset, parameters=preset.parameters, inside=inside)
    packed, restored = io.BytesIO(), io.BytesIO()
    compress_stream(io.BytesIO(data), packed, options, len(data))
    packed.seek(0)
    decompress_stream(packed, restored)
    if restored.getvalue() != data:
        raise AssertionError("the restored data differs")
    return len(packed.getvalue())


def _seven_zip(data: bytes) -> int | None:
    """Bytes of a 7z archive of the file, with the strongest usual setting."""
    program = shutil.which("7zz") or shutil.which("7z")
    if not program:
        return None
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "file").write_bytes(data)
        command = [program, "a", "-bso0", "-bsp0", "-mx=9", "file.7z", "file"]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        return Path(folder, "file.7z").stat().st_size


def _given(path: Path) -> Sample:
    data = path.read_bytes()
    return path.name, maker_of(data), data


def documents_section(files: list[Path], level: int) -> str:
    """A section of docs/benchmarks.md: of the files, or of samples if there are none."""
    given: Iterable[Sample] = map(_given, files_in(files)) if files else samples()
    found = [(name, made_by, _measured(name, data, level)) for name, made_by, data in given]
    rows = [_row(*result) for result in found]
    sums = Counter[str]()
    for _, _, result in found:
        sums += Counter({k: v for k, v in result.items() if isinstance(v, int)})
    share = f"{100 * sums['perfect'] / max(sums['streams'], 1):.0f} %"
    rows.append(_row("all", "", {**sums, "7z": sums["7z"] or None}))
    heading, command = (" of other makers", " FOLDER") if files else (" and pictures", "")
    text = (
        f"## Documents, archives{heading}\n\n"
        f"Made by `nacrith bench documents{command}`, at level {level}, with every byte of the\n"
        "file; all are restored and compared. *Closed*: `--inside none`. *Corrections*: what\n"
        f"makes the streams again of what they hold; {share} of the streams are without any.\n\n"
        + table(
            "file | made by | bytes | xz -9e | 7z -mx=9 | closed | opened | of the file "
            "| streams | without corrections | corrections",
            rows,
        )
    )
    return text + ("" if files or level >= _WITH_MODEL else _with_model())


def _row(name: str, made_by: str, result: dict[str, Any]) -> list[str]:
    seven = result["7z"]
    return [
        name,
        made_by,
        f"{result['bytes']:,}",
        f"{result['xz']:,}",
        "" if seven is None else f"{seven:,}",
        f"{result['closed']:,}",
        f"**{result['opened']:,}**",
        f"{100 * result['opened'] / max(result['bytes'], 1):.0f} %",
        f"{result['streams']:,}",
        f"{result['perfect']:,}",
        f"{result['payload']:,}",
    ]


def _with_model() -> str:
    """The e-book at the default level."""
    name, _, data = next(iter(samples()))
    result = _measured(name, data, _WITH_MODEL)
    return (
        f"\nWith the model (level {_WITH_MODEL}) the {name} of {result['bytes']:,} bytes becomes "
        f"{result['opened']:,} ({100 * result['opened'] / result['bytes']:.0f} %).\n"
    )


def check_files(paths: Iterable[Path]) -> str:
    """Open the streams of files and close them again; a line of counts.

    Raises:
        AssertionError: a file was not the same afterwards.
    """
    count: Counter[str] = Counter()
    for path in files_in(paths):
        try:
            data = path.read_bytes()[:MAX_ORIGINAL]
        except OSError:
            continue
        count["files"] += 1
        count["bytes"] += len(data)
        expanded = expand(data)
        if not expanded:
            continue
        if restore(expanded.data, expanded.payload, len(data)) != data:
            raise AssertionError(f"{path} is not the same")
        count["opened"] += 1
        count["of"] += len(data)
        count["inside"] += len(expanded.data)
        count["streams"] += expanded.streams
        count["perfect"] += expanded.perfect
        count["payload"] += len(expanded.payload)
    return (
        f"{count['files']:,} files of {count['bytes']:,} bytes; {count['opened']:,} with streams, "
        f"of {count['of']:,} bytes and {count['inside']:,} opened; {count['streams']:,} streams, "
        f"{count['perfect']:,} without corrections, {count['payload']:,} bytes to make them again"
    )
