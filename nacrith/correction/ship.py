"""`python -m nacrith.correction.ship CHECKPOINT`: ship the correction of a checkpoint.

It writes the file of the package and puts the correction's hash where the format names it. What
else then has to be made anew is printed.
"""

import argparse
from pathlib import Path

from nacrith.bench.edition import ROOT
from nacrith.correction.command import run
from nacrith.correction.pack import pack_checkpoint
from nacrith.errors import FileError
from nacrith.format.header import KNOWN_MODELS
from nacrith.models.catalog import default_model
from nacrith.models.corrections import GENERAL, described, short_name

NUMBER = 2
"""Of the model with this correction, `KNOWN_MODELS`. Another number once it has been released."""

NAMED_IN = ("nacrith/format/header.py", "docs/format.md", "tests/test_format_pins.py")
"""Files of the project that hold its hash."""

_LEFT_TO_DO = """\
python -m tests.make_golden exact-1 exact-prompt      # files made with the default model
python -m nacrith setup                               # merges it
python -m pytest tests/test_golden.py tests/test_format_pins.py tests/test_real_model.py
python -m nacrith bench correction -o docs/benchmarks.md FILE...
docs/correction.md, README.md and CHANGELOG.md name figures"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m nacrith.correction.ship", description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    arguments = parser.parse_args()
    places = [ROOT / name for name in NAMED_IN]
    old = KNOWN_MODELS[NUMBER].correction
    if missing := [str(path) for path in places if old not in path.read_text("utf-8")]:
        raise FileError(f"the old hash {old} is not in {', '.join(missing)}")
    GENERAL.write_bytes(pack_checkpoint(arguments.checkpoint, default_model().path).to_bytes())
    new = short_name(described(GENERAL))
    for path in places:
        path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
    print(f"{GENERAL}: {GENERAL.stat().st_size:,} bytes, {new} in place of {old}\n\n{_LEFT_TO_DO}")


if __name__ == "__main__":
    run("ship", main)
