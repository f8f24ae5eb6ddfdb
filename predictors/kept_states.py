"""States that ensembles begin from, kept for many short texts.

Most of what an ensemble allocates is never touched by fifty symbols, or is only working memory:
copies are made as they are written to (`Snapshot`), and all share the working memory.
"""

from collections.abc import Callable

from predictors.ensemble import EnsembleParameters, Parts, State, new_state
from predictors.language_models.vocabulary import Vocabulary
from predictors.mixing.decision import line_bits
from predictors.snapshot import Snapshot


class KeptStates:
    """Makes states for the ensembles of one model, which are used one at a time."""

    def __init__(self, make: Callable[..., State] = new_state) -> None:
        """`make`: called as `new_state`, once for each size of state."""
        self._make = make
        self._kept: dict[object, tuple[Snapshot[State], Parts]] = {}

    def state(
        self,
        vocabulary: Vocabulary,
        parameters: EnsembleParameters,
        n_streams: int,
        n_symbols: int,
        dimensions: int,
    ) -> State:
        """As `new_state`."""
        key = n_streams, line_bits(n_symbols), dimensions
        if key not in self._kept:
            made = self._make(vocabulary, parameters, n_streams, n_symbols, dimensions)
            self._kept[key] = Snapshot(made), made.parts
        snapshot, shared = self._kept[key]
        found = snapshot.copy()
        return found._replace(parts=_with_working_memory(found.parts, shared))


def _with_working_memory(parts: Parts, shared: Parts) -> Parts:
    """The parts with all arrays of others that hold nothing from one symbol to the next."""
    s, n = shared.softmax, shared.neighbors
    return parts._replace(
        softmax=s._replace(bias=parts.softmax.bias),
        candidates=shared.candidates,
        neighbors=parts.neighbors._replace(
            distances=n.distances, least=n.least, near=n.near, sums=n.sums, votes=n.votes
        ),
    )
