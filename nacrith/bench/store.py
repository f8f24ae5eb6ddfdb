"""Results on disk, so that a long run can be cut and goes on later."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nacrith.bench.edition import edition

FOLDER = Path("build") / "bench"


def cached(key: str, measure: Callable[[], dict[str, Any]], ours: bool = True) -> dict[str, Any]:
    """Return the stored result of `key`, or measure it now and store it.

    A result of other code is not taken; it stays where it is, and is taken when that
    code is back. Delete build/bench to measure everything again.

    Args:
        key: a part of a file's name.
        measure: returns what JSON can hold.
        ours: does the result depend on this project's code?
    """
    path = FOLDER / f"{key}{f'-{edition()}' if ours else ''}.json"
    if path.exists():
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return found
    result = measure()
    FOLDER.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(path.name + ".tmp")
    scratch.write_text(json.dumps(result, indent=1), "utf-8")
    scratch.replace(path)
    return result
