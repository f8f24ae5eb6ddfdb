"""`python -m nacrith.correction.ship CHECKPOINT`: ship the correction of a checkpoint.

It gets the number behind the last released one: its file is written into the package, and its
hash into the files of the project that have a line for each number. What was shipped under this
number before is replaced; what is released stays. What else then has to be made anew is printed.
"""

import argparse
import re
from pathlib import Path

from nacrith.bench.edition import ROOT
from nacrith.correction.command import run
from nacrith.correction.pack import add_options, pack_checkpoint
from nacrith.errors import FileError
from nacrith.format.header import KNOWN_MODELS
from nacrith.models.catalog import default_model
from nacrith.models.corrections import shipped_path

RELEASED = 3
"""The last number of `KNOWN_MODELS` that a released program knows."""

LISTED_IN = ("nacrith/format/header.py", "docs/format.md", "tests/test_format_pins.py")
"""Files of the project that have a line with number and hash of each correction."""

_LEFT_TO_DO = """\
python -m nacrith setup                               # merges it
python -m tests.make_golden exact-{number}            # a file made with it
python -m pytest tests/test_golden.py tests/test_format_pins.py tests/test_corrected_files.py
python -m nacrith bench correction -o docs/benchmarks.md FILE...
docs/correction.md, README.md and CHANGELOG.md name figures"""


def listed(text: str, number: int, hash_: str) -> str:
    """A file of `LISTED_IN` with this line of a correction.

    The line is like the one of the number before, and stands behind it; or replaces that of the
    number.

    Raises:
        ValueError: there is not one line of the number before, or of that replaced.
    """
    known = KNOWN_MODELS.get(number)
    lines = text.split("\n")
    before = KNOWN_MODELS[number - 1].correction
    place = _line_of(lines, before)
    line = re.sub(rf"\b{number - 1}\b", str(number), lines[place], count=1)
    line = line.replace(before, hash_)
    if known:
        lines[_line_of(lines, known.correction)] = line
    else:
        lines.insert(place + 1, line)
    return "\n".join(lines)


def _line_of(lines: list[str], hash_: str) -> int:
    found = [i for i, line in enumerate(lines) if hash_ in line]
    if len(found) != 1:
        raise ValueError(f"{hash_} is in {len(found)} lines in place of one")
    return found[0]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m nacrith.correction.ship", description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    add_options(parser)
    arguments = parser.parse_args()
    number = RELEASED + 1
    correction = pack_checkpoint(arguments.checkpoint, default_model().path, arguments)
    base = correction.base
    if base and base.sha256[:16] not in {known.correction for known in KNOWN_MODELS.values()}:
        raise FileError(
            f"{arguments.checkpoint} was trained on a correction that is not shipped, "
            f"{base.sha256[:16]}; ship that one first"
        )
    path = shipped_path(number)
    new = correction.sha256[:16]
    changed = {}
    for name in LISTED_IN:
        place = ROOT / name
        try:
            changed[place] = listed(place.read_text("utf-8"), number, new)
        except ValueError as error:
            raise FileError(f"{place} has no list of corrections as expected: {error}") from error
    path.write_bytes(correction.to_bytes())
    for place, text in changed.items():
        place.write_text(text, "utf-8")
    print(f"{path}: {path.stat().st_size:,} bytes, model number {number}, {new}\n")
    print(_LEFT_TO_DO.format(number=number))


if __name__ == "__main__":
    run("ship", main)
