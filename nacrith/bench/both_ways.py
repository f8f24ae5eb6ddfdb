"""A text through the whole pipeline and back, where the way back may be cut short."""

import io
import time
from dataclasses import dataclass, field
from typing import Any

from nacrith.pipeline.compress import compress_stream
from nacrith.pipeline.decompress import decompress_stream
from nacrith.pipeline.options import CompressOptions
from nacrith.system.progress import Progress


class _Enough(Exception):
    """Decoding went on for as long as was wanted."""


@dataclass
class _Watch(Progress):
    """Stops what it watches.

    Attributes:
        enough: seconds from the first report on; 0 = never stop.
        reports: (seconds, position in bytes) of the first report, of the last one in the first
            half of that time, and of the last.
    """

    enough: float
    reports: list[tuple[float, int]] = field(default_factory=list)

    def update(self, position: int, tokens: int, payload: int) -> None:
        now = time.perf_counter()
        first = self.reports[0][0] if self.reports else now
        kept = 2 if now - first > self.enough / 2 else 1
        self.reports[kept:] = [(now, position)]
        if self.enough and now - first >= self.enough and position > self.reports[-2][1]:
            raise _Enough


def measure_both_ways(data: bytes, options: CompressOptions, enough: float = 0) -> dict[str, Any]:
    """Compress and restore data of one frame.

    Args:
        enough: seconds of decoding after which it is stopped; 0 = decode all. What is left takes
            as long as in the second half: steps take longer until the windows are full.

    Returns:
        `size`, `compressed` in bytes, `tokens`, `compress_seconds`, `decompress_seconds` (with
        loading the model, and extrapolated if `restored`, a share, is below 1).

    Raises:
        AssertionError: the restored bytes differ.
    """
    packed, restored = io.BytesIO(), io.BytesIO()
    begin = time.perf_counter()
    summary = compress_stream(io.BytesIO(data), packed, options, len(data))
    middle = time.perf_counter()
    watch = _Watch(enough)
    share = 1.0
    try:
        decompress_stream(io.BytesIO(packed.getvalue()), restored, options.model, watch)
        seconds = time.perf_counter() - middle
        if restored.getvalue() != data:
            raise AssertionError("the restored bytes differ")
    except _Enough:
        *_, (half, start), (last, end) = watch.reports
        share = end / len(data)
        seconds = half - middle + (last - half) * (len(data) - start) / (end - start)
    return {
        "size": len(data),
        "compressed": summary.compressed,
        "tokens": summary.tokens,
        "compress_seconds": middle - begin,
        "decompress_seconds": seconds,
        "restored": share,
    }
