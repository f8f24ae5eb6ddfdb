"""Presets and levels: how much time a user gives for how few bits.

A preset is only a choice of parameters and of what they are used for: a file stores these,
not its name.
"""

from dataclasses import dataclass, replace

from nacrith.codec.stream_choice import Cutting
from nacrith.format.parameters import Parameters


@dataclass(frozen=True)
class Preset:
    """Parameters, and what they are used for.

    Attributes:
        parameters: of the text model.
        cutting: how the number of streams follows from the text.
        least_saving: percent of a text's size by context mixing that the model must save
            to be used: see `model_pays`; None = it is used for all text.
        mixing: all text gets this variant of context mixing (`predictors.text.variants`), and
            nothing the model; None = the model.
        unlike_from: bytes of a text from which on its streams are taken for unlike (see
            `Parameters`); 0 = none is.
        one_stream_window: of a long text for which one stream is asked for, in which to read the
            weights takes most of the time; 0 = that of `parameters`.
    """

    parameters: Parameters
    cutting: Cutting
    least_saving: int | None
    mixing: int | None = None
    one_stream_window: int = 0
    unlike_from: int = 1 << 18

    def chosen(self, window: int) -> "tuple[Preset, Parameters]":
        """The preset and the parameters with a user's choice; 0 = the preset's."""
        if not window:
            return self, self.parameters
        return replace(self, one_stream_window=0), replace(self.parameters, window=window)


# More streams let the processor work on more at once, up to about 64 when decoding; each
# starts without context. Attention takes half of the time at 1,000 positions. The cache of 65,536
# positions takes 1.5 GB. Figures of what windows and streams are worth: docs/benchmarks.md.
#
# One stream has twice the window: 14 texts of 40,000 bytes became 0.8 % smaller with 2,048 than
# with 1,024 (code and markup 0.4 to 1.7, prose 0.3), for 15 % more time to compress, and to
# restore 13 % more (20,000 bytes of Lisp) and 6 % (14,000 of a novel).
DEFAULT = Preset(Parameters(), Cutting(0, 64, 2600), 10, one_stream_window=2048)

LEVELS = {
    1: replace(DEFAULT, mixing=1),
    2: replace(DEFAULT, mixing=2),
    3: replace(DEFAULT, mixing=3),
    4: Preset(Parameters(window=256, neighbors=0), Cutting(0, 64, 800), 10, None, 512),
    5: Preset(Parameters(window=512), Cutting(0, 64, 1300), 10, None, 1024),
    6: DEFAULT,
    7: Preset(Parameters(window=2048), Cutting(0, 32, 3000), 10, None, 4096),
    8: Preset(Parameters(window=2048, neighbors=1 << 16), Cutting(0, 8, 8000), 0, None, 4096),
    9: Preset(Parameters(window=4096, neighbors=1 << 16), Cutting(1, 1), 0),
}
"""By number, as those of gzip: the higher, the smaller and slower."""

WITH_MODEL = 4
"""From this level on the model is used."""

BEST = LEVELS[9]
"""The smallest."""

PRESETS = {"default": 6, "fast": 1, "best": 9}
"""Names of levels."""
