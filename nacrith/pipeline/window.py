"""How much context the model gets."""

from nacrith.models.trained_positions import trained_positions
from nacrith.pipeline.options import CompressOptions

_ANY_MODEL = 2048
"""Positions that any model of this kind was trained on."""


def window_of(options: CompressOptions, streams: int) -> int:
    """The window in tokens: what the user said, or the level's for a long text in so many
    streams, as far as the model was trained on so many positions."""
    preset, usual = options.preset, options.parameters.window
    if usual != preset.parameters.window or preset.mixing is not None:
        return usual
    window = preset.lone_window if streams == 1 and preset.lone_window else usual
    least = min(usual, _ANY_MODEL)
    if window == least:
        return window
    trained = trained_positions(options.model) or window
    # As any window: a multiple of 256.
    return max(min(window, trained // 256 * 256), least)
