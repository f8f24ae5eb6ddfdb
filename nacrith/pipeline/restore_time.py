"""About how long a file takes to restore, from what its frames say without a model."""

from collections.abc import Mapping
from itertools import pairwise
from math import log2
from typing import Any

from predictors.language_models.numerics import available_threads

_TOKENS_PER_SECOND = {1: 220, 8: 750, 64: 1200}
"""Of all streams together, by their number: the embedded model, 2 cores with AVX512-VNNI."""
_MEASURED_THREADS = 2

_PAYLOAD_OF_STREAM = 4000
"""The default cuts so: bytes of payload for each further stream (`presets.DEFAULT`)."""

_BYTES_PER_SECOND = {"mixed_text": 150e3, "mixed": 60e3, "lzma": 50e6, "stored": 500e6}
_PICTURES_PER_SECOND = 40e3
"""Bytes of coded coefficients."""

_START = 0.5
"""Seconds until a model is ready that has been used before."""


def seconds_to_restore(member: Mapping[str, Any]) -> float:
    """Seconds, right to a factor of two or so on the machine that the figures are of.

    Args:
        member: of what `format.description.describe_file` returns. How many streams its text has
            stands in the coded text; what the default would have chosen is assumed.
    """
    sizes = member["bytes"]
    seconds = sum(sizes[kind] / speed for kind, speed in _BYTES_PER_SECOND.items())
    seconds += member["pictures"] / _PICTURES_PER_SECOND
    if tokens := member["tokens"]:
        frames = max(1, member["frames"])
        streams = min(64, 1 + member["text_payload"] // frames // _PAYLOAD_OF_STREAM)
        share = available_threads() / _MEASURED_THREADS
        seconds += _START + tokens / (_speed(streams) * share)
    return seconds


def _speed(streams: int) -> float:
    """Tokens a second, between what was measured by the logarithm of the streams."""
    for (a, slow), (b, fast) in pairwise(_TOKENS_PER_SECOND.items()):
        if streams <= b:
            return slow + (fast - slow) * log2(streams / a) / log2(b / a)
    return fast
