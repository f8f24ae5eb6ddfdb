"""How much context the model gets."""

from nacrith.models.trained_positions import trained_positions
from nacrith.pipeline.options import CompressOptions

_ANY_MODEL = 2048
"""Positions that any model of this kind was trained on."""


def window_of(options: CompressOptions) -> int:
    """The window in tokens: what the user said, or the level's, as far as the model was trained
    on so many positions."""
    window = options.parameters.window
    is_chosen = window != options.preset.parameters.window
    if is_chosen or options.preset.mixing is not None or window <= _ANY_MODEL:
        return window
    trained = trained_positions(options.model) or window
    # As any window: a multiple of 256.
    return max(min(window, trained // 256 * 256), _ANY_MODEL)
