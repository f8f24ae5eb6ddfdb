"""About how long a file takes to restore, from what its frames say without a model."""

from itertools import pairwise
from math import log2

from nacrith.format.frame import Frame, Kind
from nacrith.format.header import Header
from predictors.language_models.numerics import available_threads

_TOKENS_PER_SECOND = {1: (200, 155), 2: (250, 220), 4: (400, 330), 8: (850, 600), 64: (1000, 690)}
"""Of all streams together, by their number, at first and with full windows: the embedded model, 2
cores with AVX512-VNNI."""
_MEASURED_WINDOW = 1024
"""Tokens of these windows: each that a stream has read makes its step a little longer."""
_MEASURED_THREADS = 2
"""The threads that did so."""

_BYTES_PER_SECOND = {
    Kind.MIXED_TEXT: 240e3, Kind.MIXED: 40e3, Kind.LZMA: 50e6, Kind.STORED: 500e6,
}  # fmt: skip
"""One core (docs/benchmarks.md): level 3 of text, the binary files of the Canterbury corpus."""

_PICTURES_PER_SECOND = 35e3
"""Bytes of coded coefficients of JPEG pictures: docs/jpeg.md."""

_START = 0.5
"""Seconds until a model is ready that has been used before."""


class RestoreTime:
    """Seconds, right to a factor of two or so on the machine that the figures are of.

    Attributes:
        seconds: for all frames that were looked at.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._has_text = False

    def look_at(self, header: Header, frame: Frame) -> None:
        """Add what a frame takes."""
        for kind, length in frame.segments:
            self.seconds += length / _BYTES_PER_SECOND.get(kind, float("inf"))
        if frame.opened and frame.opened.pictures:
            self.seconds += len(frame.opened.pictures) / _PICTURES_PER_SECOND
        if frame.n_symbols:
            self.seconds += 0 if self._has_text else _START
            self._has_text = True
            share = available_threads() / _MEASURED_THREADS
            self.seconds += frame.n_symbols / (_speed(frame, header.parameters.window) * share)


def _speed(frame: Frame, window: int) -> float:
    """Tokens a second of a frame, on average."""
    # Not needed where there is no text for the model.
    from nacrith.codec.streams_of_frame import streams_told

    streams = max(1, streams_told(frame))
    at_first, full = _measured_speeds(streams)
    # Tokens in the window on average.
    read = frame.n_symbols / streams
    seen = read / 2 if read < window else window - window * window / (2 * read)
    return 1 / (1 / at_first + seen / _MEASURED_WINDOW * (1 / full - 1 / at_first))


def _measured_speeds(streams: int) -> tuple[float, float]:
    """Tokens a second at first and with full windows, between what was measured by the logarithm
    of the streams."""
    for (a, slow), (b, fast) in pairwise(_TOKENS_PER_SECOND.items()):
        if streams <= b:
            part = log2(streams / a) / log2(b / a)
            at_first, full = (x + (y - x) * part for x, y in zip(slow, fast, strict=True))
            return at_first, full
    return fast
