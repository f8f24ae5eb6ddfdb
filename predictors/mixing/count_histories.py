"""How often a one followed each bit history, for each kind of context.

(n0, n1, last bit) is the *bit history* of a decision in a context: the counts of its zeros and
ones, see `context_lines`. (Where bytes are coded without the model, histories are states:
`bit_states`.) An adaptive table per kind of context, the *state map*, says how often a one
followed each history ("indirect" modeling, Mahoney 2005, PAQ, where histories are the states of
an automaton instead of counts).
"""

import numpy as np

from predictors.mixing.logistic import PROBABILITY_ONE

# Counts in twelve steps: 0 to 4 exactly, then coarser.
_STEPS = (0, 1, 2, 3, 4, 5, 7, 10, 16, 32, 64, 128)
LEVELS = len(_STEPS)
HISTORIES = LEVELS * LEVELS * 2

RATE_SHIFT = 6
"""A history's probability moves by 1/64 of its error."""


def level_of_count(n: int) -> int:
    """The number of the highest step that a count reaches."""
    return max(i for i, step in enumerate(_STEPS) if step <= n)


def new_state_map(kinds: int) -> np.ndarray:
    """[kinds, HISTORIES] int64 probabilities of a one in 2**-24, by the counts at first."""
    counts = [2 * step + (step > 4) * (step // 2) for step in _STEPS]
    table = np.empty((kinds, LEVELS, LEVELS, 2), dtype=np.int64)
    for i, n0 in enumerate(counts):
        for j, n1 in enumerate(counts):
            # (n1 + 0.3) / (n0 + n1 + 0.6) of the doubled counts, in integers.
            table[:, i, j, :] = PROBABILITY_ONE * (10 * n1 + 6) // (10 * (n0 + n1) + 12)
    return table.reshape(kinds, HISTORIES)
