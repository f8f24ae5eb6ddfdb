"""What the correction of the weights is worth: sizes without and with it, learning curve."""

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from nacrith.bench.markdown import table
from nacrith.bench.store import cached
from nacrith.errors import FileError
from nacrith.models.corrections import (
    NONE,
    default_corrected,
    shipped_numbers,
    shipped_path,
    short_name,
)
from nacrith.pipeline.compress import compress_stream
from nacrith.pipeline.options import CompressOptions

_GROWTH = 1.5
"""From row to row of the learning curve, the number of tokens grows by at least so much."""


def measure_correction(data: bytes) -> dict[str, Any]:
    """Compress with the default settings but for one stream.

    Returns:
        `size` of the original, `without` and `with_it`: bytes, and those with earlier
        corrections that are shipped, by the model's number; `tokens`: 0 = the model was of no
        use for it.
    """
    found: dict[str, Any] = {"size": len(data)}
    earlier: dict[str, Path | str | None] = {
        str(n): shipped_path(n) for n in shipped_numbers()[:-1]
    }
    for name, choice in {"without": NONE, **earlier, "with_it": None}.items():
        options = CompressOptions(streams=1, correction=choice)
        summary = compress_stream(io.BytesIO(data), io.BytesIO(), options, len(data))
        found[name], found["tokens"] = summary.compressed, summary.tokens
    return found


def correction_section(files: Mapping[str, bytes], log: Path | None = None) -> str:
    """Markdown. Texts by name; those that the model is not used for are left out.

    Args:
        log: what the training of the correction has written, `log.jsonl`.

    Raises:
        NacrithError: no model, or the log can't be read.
    """
    name = short_name(default_corrected().correction)
    earlier = [str(number) for number in shipped_numbers()[:-1]]
    rows, total = [], dict.fromkeys(("size", "without", *earlier, "with_it"), 0)
    for file, data in files.items():
        digest = hashlib.sha256(data).hexdigest()[:12]
        r = cached(f"correction-{name}-{digest}", partial(measure_correction, data))
        if r["tokens"]:
            rows.append(_row(file, {key: r[key] for key in total}))
            total = {key: total[key] + r[key] for key in total}
    if len(rows) > 1:
        rows.append(_row("all", total))
    parts = [
        "## What the correction of the weights is worth\n\n"
        "Bytes of the compressed file, default settings but for one stream, without the\n"
        f"correction {name} (`--correction none`){_with_earlier(earlier)} and with it.\n\n"
        + table(" | ".join(["text", "bytes", "without", *earlier, "with", "change"]), rows)
    ]
    if log:
        parts.append(
            "The learning curve of its training: cost of the model alone on validation texts,\n"
            "against the weights that it began with, in per cent (docs/correction.md).\n\n"
            + learning_curve(log)
        )
    return "\n".join(parts)


def _with_earlier(earlier: Sequence[str]) -> str:
    return f", with that of model number {', '.join(earlier)}," if earlier else ""


def _row(name: str, r: Mapping[str, int]) -> list[str]:
    change = 100 * (r["with_it"] / r["without"] - 1)
    sizes = (f"{size:,}" for size in r.values())
    return [name, *sizes, f"{change:+.1f} %".replace("-", "−")]


def learning_curve(log: Path) -> str:
    """A table by kind of text of what training has written; raises FileError."""
    try:
        events = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
        # A run that went on from a checkpoint has measured some points twice.
        points = {e["trained"]: e for e in events if e["event"] == "validation" and e["trained"]}
        kinds = sorted(next(iter(points.values()))["percent"]) if points else []
        rows, last = [], 0.0
        for trained in sorted(points):
            if trained >= _GROWTH * last or trained == max(points):
                last = trained
                point = points[trained]
                cells = [*(point["percent"][kind] for kind in kinds), point["mean_percent"]]
                rows.append([f"{trained:,}", *(f"{c:.1f}".replace("-", "−") for c in cells)])
    except OSError as error:
        raise FileError(f"can't read {log}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise FileError(f"{log} is no log of training a correction") from error
    return table(" | ".join(["tokens", *kinds, "mean"]), rows)
