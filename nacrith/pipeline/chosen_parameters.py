"""How much context the model gets, and whether streams are taken for unlike."""

from nacrith.models.trained_positions import trained_positions
from nacrith.pipeline.options import CompressOptions

_ANY_MODEL = 2048
"""Positions that any model of this kind was trained on."""

_LONG = 4
"""Bytes for each token of the window: a text of fewer hardly fills it."""


def window_of(options: CompressOptions, size: int | None) -> int:
    """The window in tokens: what the user said, or the level's, as far as the model was trained on
    so many positions.

    Args:
        size: of the text in bytes; None = not known, and long.
    """
    preset, usual = options.preset, options.parameters.window
    if usual != preset.parameters.window or preset.mixing is not None:
        return usual
    is_short = size is not None and size <= _LONG * usual
    one_stream = options.streams == 1 and not is_short
    window = preset.one_stream_window if one_stream and preset.one_stream_window else usual
    least = min(usual, _ANY_MODEL)
    if window == least:
        return window
    trained = trained_positions(options.model) or window
    # As any window: a multiple of 256.
    return max(min(window, trained // 256 * 256), least)


def may_be_unlike(options: CompressOptions, size: int) -> bool:
    """Are the streams of a text of so many bytes taken for unlike, if it has several?"""
    preset = options.preset
    several = options.streams > 1 or (options.streams == 0 and options.cutting.most > 1)
    return several and preset.mixing is None and 0 < preset.unlike_from <= size
