"""docs/reliability.md: every fault, how often it was tried, what was found afterwards."""

import tempfile
import time
from collections import Counter
from pathlib import Path

import click

from nacrith.bench.markdown import with_section
from nacrith.errors import NacrithError
from tests.faults import (
    caches,
    charsets,
    damage,
    disk,
    files,
    folders,
    interruption,
    memory,
    mutants,
    writers,
)
from tests.faults.lab import Broken, Fault, Lab

FAULTS: list[Fault] = [
    *interruption.FAULTS,
    *writers.FAULTS,
    *disk.FAULTS,
    *folders.FAULTS,
    *caches.FAULTS,
    *files.FAULTS,
    *damage.FAULTS,
    *charsets.FAULTS,
    *mutants.FAULTS,
]


def write_reliability(quick: bool, only: str, output: Path | None) -> None:
    """Try the faults whose name holds `only`; print the report or write it to `output`.

    Raises:
        NacrithError: what must hold did not.
    """
    rows = []
    broken = []
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(Path(folder))
        for fault in FAULTS:
            if only in fault.name:
                row, problem = _try(fault, lab, quick)
                rows.append(row)
                broken += [f"{fault.name}: {problem}"] if problem else []
        report = _HEAD.replace("TABLE", "\n".join([*_TABLE_HEAD, *rows]))
        if not only:
            report += "\n" + memory.section(lab, quick)
    if output:
        output.parent.mkdir(parents=True, exist_ok=True)
        before = output.read_text("utf-8") if output.exists() else ""
        output.write_text(with_sections_of(before, report), "utf-8")
    else:
        click.echo(report)
    if broken:
        raise NacrithError("\n".join(broken))


def with_sections_of(before: str, report: str) -> str:
    """The report with the sections of an older one that others have put there."""
    for section in before.split("\n## ")[1:]:
        if f"## {section.partition(chr(10))[0]}\n" not in report:
            report = with_section(report, f"## {section}")
    return report


def _try(fault: Fault, lab: Lab, quick: bool) -> tuple[str, str | None]:
    """Return a row of the table, and what did not hold."""
    outcomes: Counter[str] = Counter()
    problem = None
    begin = time.monotonic()
    try:
        for outcome in fault.trials(lab, max(2, fault.times // 10) if quick else fault.times):
            outcomes[outcome] += 1
    except Broken as error:
        problem = str(error)
        outcomes["**NOT HELD**"] += 1
    click.echo(f"{fault.name}: {dict(outcomes)}, {time.monotonic() - begin:.0f} s", err=True)
    found = "; ".join(f"{name}: {n:,}" for name, n in sorted(outcomes.items()))
    return f"| {fault.name} | {outcomes.total():,} | {found} | {fault.must_hold} |", problem


_TABLE_HEAD = ["| fault | tried | found afterwards | must hold |", "| --- | ---: | --- | --- |"]

_HEAD = """# Reliability

Made by `python -m tests.faults -o docs/reliability.md`. Each fault was tried on real processes
and files, with a tiny model and small frames; only the mutants ran inside one process.

## What holds, and how

- **Nothing is half-written.** Output goes to FILE.part in the same folder. It gets its name by
  one atomic call when it is whole and on the disk (`fsync` of the file before, of the folder
  after). Until then a FILE.nc that was there before stays as it was. What Python writes gets its
  name only by `close()` or a `with` block left without an exception ([api.md](api.md)).
- **Work is not lost.** Each frame is brought to the disk when it is done. After a kill, a power
  cut or a full disk FILE.nc.part holds the frames so far. `compress --resume` checks each
  against the input by its hash and goes on; with the exact backend the result is the file of
  an uninterrupted run, to the byte. A part with work in it is not overwritten without `-f`, and
  is not removed because `--resume` was given other options.
- **No folder is needed but those of the files.** Compiled kernels are kept beside the package,
  else in the user's cache folder, or where NUMBA_CACHE_DIR says. If none can be written to, the
  run compiles them for itself and says so. Each has a hash, so that a damaged one is noticed
  and made again. Workers need no shared memory.
- **An interruption is one line, and quick.** Workers leave the signals of a terminal to the main
  process, which kills them, waits until they are gone, and ends with exit code 128 + number.
- **Two runs do not mix.** The part file is locked; a second run is refused.
- **The input is not lost.** `--rm` decodes the written file first (`--verify`), and removes the
  input only if it is the file that was read and was not written to since. An input that
  changes while it is read is an error.
- **Wrong bytes are not restored.** Every record has a CRC-32, every frame a BLAKE2b hash of its
  original (4 bytes below 64 KiB, else 8), a file of several frames one of the whole (16 bytes).
  All CRCs of a file are checked before the first byte is written; `test --quick` does only that.
- **An opened stream is closed again before it is relied on.** Whatever an encoder opens (zip, gzip,
  PNG ...) it also restores and compares; what differs stays as it is. [deflate.md](deflate.md),
  section 7, has how many of the files that a machine carries were tried
  (`nacrith bench documents --check`); *Files that a machine carries*, below, those that were
  compressed and restored too (`nacrith bench roundtrip`).
- **A false length allocates nothing.** Lengths are checked against what is there. The limits of
  the format bound the rest: 64 MiB of the original in a frame.

## What does not hold

- A damaged frame is not repaired, and `decompress` refuses a file that has one. What can be
  saved: the frames in front of the damage, if the file is read from a pipe
  (`nacrith decompress < FILE.nc > start`), which can't be checked first; it ends with exit
  code 1. Frames do not depend on each other, but behind a damaged length no frame is found.
- A file of a few hundred bytes can claim megabytes of extremely regular data, within the
  format's limits. The decoder then works for minutes before the hash tells that it is not so.
  The mutants below that did so were stopped after SECONDS s of processor time.
- A change of the input that leaves its size and its time stamp as they were is not noticed.
- fsspec opens the target itself and most often writes in place: what a failed writer leaves is
  no old file, but one that is refused as truncated.
- Locks do not work on every network file system.

## Faults tried

TABLE
""".replace("SECONDS", str(mutants.PATIENCE))
