"""Presets and levels: how much time a user gives for how few bits.

A preset is only a choice of parameters and of what they are used for: a file stores these,
not its name.
"""

from dataclasses import dataclass, replace

from nacrith.format.parameters import Parameters


@dataclass(frozen=True)
class Preset:
    """Parameters, and how the number of streams follows from the size.

    Attributes:
        parameters: with `streams` 0 = to be chosen.
        stream_bytes: text that a stream of its own must have, at least.
        max_streams: no more streams than this.
        least_saving: percent of a text's size by context mixing that the model must save
            to be used: see `model_pays`; None = it is used for all text.
        mixing: all text gets this variant of context mixing (`predictors.text.variants`), and
            nothing the model; None = the model.
    """

    parameters: Parameters
    stream_bytes: int
    max_streams: int
    least_saving: int | None
    mixing: int | None = None

    def chosen(self, streams: int, window: int) -> Parameters:
        """The parameters with a user's choice; 0 = the preset's."""
        return replace(
            self.parameters,
            streams=streams or self.parameters.streams,
            window=window or self.parameters.window,
        )

    def streams(self, size: int) -> int:
        """Number of streams for `size` bytes of text (or its upper bound)."""
        return max(1, min(self.max_streams, size // self.stream_bytes))


# More streams let the processor work on more at once, up to about 64 when decoding; each
# starts without context. Attention takes half of the time at 1,000 positions.
FAST = Preset(Parameters(streams=0, window=256), 1 << 14, 64, 10)
DEFAULT = Preset(Parameters(streams=0), 1 << 16, 8, 10)
BEST = Preset(Parameters(streams=0, window=2048, neighbors=1 << 16), 1 << 62, 1, 0)

LEVELS = {
    1: replace(DEFAULT, mixing=1),
    2: replace(DEFAULT, mixing=2),
    3: replace(DEFAULT, mixing=2),
    4: FAST,
    5: FAST,
    6: DEFAULT,
    7: DEFAULT,
    8: BEST,
    9: BEST,
}
"""By number, as those of gzip: the higher, the smaller and slower."""

WITH_MODEL = 4
"""From this level on the model is used."""

PRESETS = {"default": 6, "fast": 1, "best": 9}
"""Names of levels."""
