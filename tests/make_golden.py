"""Write the golden files: `python -m tests.make_golden [NAME...]`, all of them by default.

Only a change of the format is a reason to do so.
"""

import sys
import tempfile
from pathlib import Path

from tests.golden_cases import CASES, GOLDEN
from tests.tiny_model import write_tiny_model


def main(names: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        tiny = write_tiny_model(Path(folder))
        packed = {name: CASES[name].make(tiny) for name in names}
    for name, data in packed.items():
        if lacks := CASES[name].lacks(data):
            sys.exit(f"{name} does not hold what it is for but {lacks}; nothing has been written")
    for name, data in packed.items():
        (GOLDEN / f"{name}.nc").write_bytes(data)
    if set(names) == set(CASES):
        for path in GOLDEN.glob("*.nc"):
            if path.stem not in CASES:
                path.unlink()
    print(f"{len(packed)} files, {sum(map(len, packed.values()))} bytes")


if __name__ == "__main__":
    main(sys.argv[1:] or list(CASES))
