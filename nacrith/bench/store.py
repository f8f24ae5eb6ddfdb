"""Results on disk, so that a long run can be cut and goes on later."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

FOLDER = Path("build") / "bench"


def cached(key: str, measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return the stored result of `key`, or measure it now and store it.

    Delete build/bench to measure everything again.
    """
    path = FOLDER / f"{key}.json"
    if path.exists():
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return found
    result = measure()
    FOLDER.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(".tmp")
    scratch.write_text(json.dumps(result, indent=1), "utf-8")
    scratch.replace(path)
    return result
