"""Results on disk, so that a long run can be cut and goes on later."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nacrith.bench.edition import edition
from nacrith.errors import NacrithError

FOLDER = Path("build") / "bench"

_end: float | None = None
"""When no measurement begins any more, of `time.monotonic`."""


def end_after(minutes: int | None) -> None:
    """Let no measurement begin after so many minutes from now; None = without end."""
    global _end
    _end = None if minutes is None else time.monotonic() + 60 * minutes


def cached(key: str, measure: Callable[[], dict[str, Any]], ours: bool = True) -> dict[str, Any]:
    """Return the stored result of `key`, or measure it now and store it.

    A result of other code is not taken; it stays where it is, and is taken when that
    code is back. Delete build/bench to measure everything again.

    Args:
        key: a part of a file's name.
        measure: returns what JSON can hold.
        ours: does the result depend on this project's code?

    Raises:
        NacrithError: the time that `end_after` set is over.
    """
    path = FOLDER / f"{key}{f'-{edition()}' if ours else ''}.json"
    if path.exists():
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return found
    if _end is not None and time.monotonic() > _end:
        raise NacrithError(
            f"the time is over before {key}; what was measured is in {FOLDER}: "
            "the same command goes on"
        )
    result = measure()
    FOLDER.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(path.name + ".tmp")
    scratch.write_text(json.dumps(result, indent=1), "utf-8")
    scratch.replace(path)
    return result
