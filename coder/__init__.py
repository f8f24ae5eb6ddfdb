"""Entropy coding: probabilities as integer CDFs, and a 32-bit range coder.

Nothing here knows what is being coded. Every function is integer arithmetic
after one rounding of its float input, so equal input gives equal output on
every machine.
"""

from coder.cdf import (
    CDF_BITS,
    CDF_TOTAL,
    MAX_CDF_BITS,
    ScoreError,
    cdf_from_scores,
    scores_from_logits,
)
from coder.range_coder import BitCoder, Coder, Decoder, Encoder

__all__ = [
    "CDF_BITS",
    "CDF_TOTAL",
    "MAX_CDF_BITS",
    "BitCoder",
    "Coder",
    "Decoder",
    "Encoder",
    "ScoreError",
    "cdf_from_scores",
    "scores_from_logits",
]
