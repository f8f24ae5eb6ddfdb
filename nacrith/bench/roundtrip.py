"""Every document, archive, picture and sound of a machine, compressed and restored.

What was done is noted in build/bench, a line for each file, so that a run that was cut goes on.
"""

import io
import json
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from nacrith.bench.edition import edition
from nacrith.bench.files_carried import KINDS, Carried
from nacrith.bench.markdown import table
from nacrith.bench.store import FOLDER

Result = dict[str, Any]

_COUNTED = ("bytes", "packed", "opened", "perfect", "closed")


def go_over(
    files: Sequence[Carried],
    level: int,
    workers: int,
    seconds: float | None = None,
    tell: Callable[[int, int], None] = lambda done, of: None,
) -> list[Result]:
    """Compress and restore files that were not done before.

    Args:
        level: as -1 to -9 of compress.
        workers: processes.
        seconds: none is begun after so many; None = no end.
        tell: called with how many are done and how many there are.

    Returns:
        Of each that was done by now: `name`, `kind`, `bytes`, `packed`; of the streams of deflate
        in its first frame how many are `opened`, `perfect` (without corrections) and left
        `closed`; `problem`, empty if it came back. Of one that can't be read `unread`, why; that
        is not noted.
    """
    note = FOLDER / f"roundtrip-{level}-{edition()}.jsonl"
    done = _read(note)
    todo = [file for file in files if _key(file) not in done]
    end = None if seconds is None else time.monotonic() + seconds
    FOLDER.mkdir(parents=True, exist_ok=True)
    is_cut = note.exists() and not note.read_bytes().endswith(b"\n")
    with note.open("a", encoding="utf-8") as notes:
        if is_cut:
            notes.write("\n")
        results = _results(todo, level, workers, end)
        for n, result in enumerate(results, len(files) - len(todo) + 1):
            done[result["key"]] = result
            if "unread" not in result:
                notes.write(json.dumps(result) + "\n")
                notes.flush()
            tell(n, len(files))
    return [done[_key(file)] for file in files if _key(file) in done]


def _key(file: Carried) -> str:
    return f"{file.path} {file.size}"


def _read(note: Path) -> dict[str, Result]:
    """What was noted; the last line may be half written."""
    done = {}
    for line in note.read_text("utf-8").splitlines() if note.exists() else ():
        try:
            result = json.loads(line)
        except ValueError:
            continue
        done[result["key"]] = result
    return done


def _results(
    files: Sequence[Carried], level: int, workers: int, end: float | None
) -> Iterator[Result]:
    """The results as they come; no more files are begun than there are workers for."""
    left = iter(files)
    if workers == 1:
        for file in left:
            if not _is_time(end):
                return
            yield there_and_back(file, level)
        return
    while killed := (yield from _in_pool(left, level, workers, end)):
        for file in killed:
            yield _alone(file, level)


def _in_pool(
    left: Iterator[Carried], level: int, workers: int, end: float | None
) -> Generator[Result, None, list[Carried]]:
    """The results until a process is killed, by one of the files that are then returned."""
    running: dict[Future[Result], Carried] = {}
    with _pool(workers) as pool:
        while True:
            while len(running) < workers and _is_time(end):
                following = next(left, None)
                if following is None:
                    break
                try:
                    running[pool.submit(there_and_back, following, level)] = following
                except BrokenProcessPool:
                    return [*running.values(), following]
            if not running:
                return []
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                try:
                    result = future.result()
                except BrokenProcessPool:
                    return [*running.values()]
                del running[future]
                yield result


def _alone(file: Carried, level: int) -> Result:
    """The result of a file in a process of its own, which may be killed, as for its memory."""
    with _pool(1) as pool:
        try:
            return pool.submit(there_and_back, file, level).result()
        except BrokenProcessPool:
            return {**_named(file), "problem": "the process was killed"}


def _pool(workers: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"))


def _is_time(end: float | None) -> bool:
    return end is None or time.monotonic() < end


def _named(file: Carried) -> Result:
    """A result before anything is done."""
    result = {"key": _key(file), "name": file.path.name, "kind": file.kind, "ending": file.ending}
    return {**result, **dict.fromkeys(_COUNTED, 0)}


def there_and_back(file: Carried, level: int) -> Result:
    """Compress a file and restore it: see `go_over`."""
    result = _named(file)
    try:
        data = file.path.read_bytes()
    except OSError as error:
        return {**result, "unread": str(error.strerror), "problem": ""}
    result["bytes"] = len(data)
    try:
        return {**result, **_measured(data, level), "problem": ""}
    except Exception as error:
        # Whatever it is: that is what is looked for.
        return {**result, "problem": f"{type(error).__name__}: {error}"}


def _measured(data: bytes, level: int) -> Result:
    from nacrith.pipeline.blocks import read_blocks
    from nacrith.pipeline.compress import compress_stream
    from nacrith.pipeline.decompress import decompress_stream
    from nacrith.pipeline.options import CompressOptions
    from nacrith.pipeline.presets import LEVELS
    from nacrith.transforms.opening.expanding import count_streams

    preset = LEVELS[level]
    options = CompressOptions(preset=preset, parameters=preset.parameters)
    packed, restored = io.BytesIO(), io.BytesIO()
    compress_stream(io.BytesIO(data), packed, options, len(data))
    size = packed.tell()
    packed.seek(0)
    decompress_stream(packed, restored)
    if restored.getvalue() != data:
        raise AssertionError("the restored data differs")
    first = next(read_blocks(io.BytesIO(data), options.block_size, options.inside), b"")
    opened, perfect, closed = count_streams(first, options.inside)
    return {"packed": size, "opened": opened, "perfect": perfect, "closed": closed}


def roundtrip_section(
    results: Sequence[Result], level: int, largest: int, of: int, options: str = ""
) -> str:
    """The section of docs/reliability.md.

    Args:
        largest: bytes of a file, beyond which it was left out.
        of: how many files there are in all.
        options: of the command, with which it makes the same again.
    """
    results = [result for result in results if "unread" not in result]
    command = f"nacrith bench roundtrip {options}".rstrip()
    rows = []
    for kind in KINDS:
        of_kind = [result for result in results if result["kind"] == kind]
        endings = sorted({result["ending"] for result in of_kind})
        for ending in endings:
            rows.append(_row(f"{kind}, {ending}", [r for r in of_kind if r["ending"] == ending]))
    rows.append(_row("all", results))
    problems = [f"- {result['name']}: {result['problem']}" for result in failed(results)]
    text = (
        "## Files that a machine carries\n\n"
        f"Made by `{command}`, at level {level}:\n"
        f"{len(results):,} of {of:,} documents, archives, pictures and sounds of up to "
        f"{largest:,} bytes,\n"
        "of all kinds the same number where there are so many, by chance; each compressed,\n"
        "restored and compared. *Streams*: of deflate that are opened. *Left closed*: those that\n"
        "would cost too many corrections.\n\n"
        + table(
            "files | number | bytes | compressed | of it | streams | without corrections "
            "| left closed | not restored",
            rows,
        )
    )
    return text + ("\n" + "\n".join(problems) + "\n" if problems else "")


def failed(results: Sequence[Result]) -> list[Result]:
    """Those that did not come back."""
    return [result for result in results if result["problem"]]


def _row(name: str, results: Sequence[Result]) -> list[str]:
    sums = Counter[str]()
    for result in results:
        sums.update({key: result.get(key, 0) for key in _COUNTED})
    return [
        name,
        f"{len(results):,}",
        f"{sums['bytes']:,}",
        f"{sums['packed']:,}",
        f"{100 * sums['packed'] / max(sums['bytes'], 1):.0f} %",
        f"{sums['opened']:,}",
        f"{sums['perfect']:,}",
        f"{sums['closed']:,}",
        f"{len(failed(results)):,}",
    ]
