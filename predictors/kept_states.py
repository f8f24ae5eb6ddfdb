"""States that ensembles begin from, kept for many short texts.

To allocate an ensemble takes longer than to code fifty symbols with it: most of the time goes
into pages of memory that are touched for the first time (10 microseconds each, measured in a
virtual machine). So the memory is used again. Large arrays of which a short text touches little
are mapped afresh (`Snapshot`), and the rest is copied.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from predictors.ensemble import EnsembleParameters, State, are_unlike, new_state
from predictors.heads.output_head import OutputHead
from predictors.language_models.vocabulary import Vocabulary
from predictors.mixing.context_lines import new_lines
from predictors.mixing.decision import DecisionModel, line_bits
from predictors.snapshot import Snapshot, copied, put_back


class KeptStates:
    """Makes states for the ensembles of one model. They share nothing that is written to, as
    texts side by side may be coded by threads."""

    def __init__(self, make: Callable[..., State] = new_state) -> None:
        """`make`: called as `new_state`, once for each size of state."""
        self._make = make
        self._templates: dict[tuple[int, int, int], _Template] = {}
        # By what sizes depend on but for the lines of contexts, which may be larger than needed.
        self._slots: dict[object, list[State]] = defaultdict(list)
        self._n_used: Counter[object] = Counter()

    def state(
        self,
        vocabulary: Vocabulary,
        parameters: EnsembleParameters,
        n_streams: int,
        n_symbols: int,
        dimensions: int,
    ) -> State:
        """As `new_state`; the state may be used until `free` is called."""
        size = n_streams, dimensions
        bits = line_bits(n_symbols, are_unlike(parameters, n_streams))
        key = *size, bits
        if key not in self._templates:
            # Untrained states differ in the number of lines alone, which are empty.
            alike = [t for (*s, _), t in self._templates.items() if tuple(s) == size]
            if alike and self._make is new_state:
                self._templates[key] = alike[0].with_empty_lines(bits)
            else:
                made = self._make(vocabulary, parameters, n_streams, n_symbols, dimensions)
                self._templates[key] = _Template(made)
        template, slots, i = self._templates[key], self._slots[size], self._n_used[size]
        self._n_used[size] += 1
        if i == len(slots):
            slots.append(template.copy())
        else:
            slots[i] = template.put_back(slots[i])
        return template.complete(slots[i])

    def free(self) -> None:
        """None of the states is in use any more."""
        self._n_used.clear()


class _Sparse(NamedTuple):
    """Arrays of which a short text touches little."""

    match_table: Any
    history: Any
    states: Any
    followers: Any


class _Template:
    """A state, and what it takes to have others that are like it."""

    def __init__(self, state: State, sparse: "Snapshot[_Sparse] | None" = None) -> None:
        """`sparse`: of a template that differs in nothing that is in it."""
        self._state = state
        tables, neighbors = state.tables, state.parts.neighbors
        self._sparse = sparse
        if tables and not sparse:
            self._sparse = Snapshot(
                _Sparse(tables.match_table, tables.history, neighbors.states, neighbors.followers)
            )

    def with_empty_lines(self, bits: int) -> "_Template":
        """The same, but for the lines of contexts: 2**bits, empty."""
        tables = self._state.tables
        if not tables:
            return self
        model = _with_lines(tables.model, new_lines(bits))
        return _Template(self._state._replace(tables=tables._replace(model=model)), self._sparse)

    def copy(self) -> State:
        """A copy of all that is not sparse."""
        parts, tables = self._state
        head, n = parts.output_head, parts.neighbors
        own_head = copied(head._replace(weights=head.weights[:0]))
        # Not `zeros_like`, which touches all pages.
        weights = np.zeros(head.weights.shape, head.weights.dtype)
        own_head = own_head._replace(weights=weights)
        _put_back_rows(own_head, head)
        own = parts._replace(
            softmax=copied(parts.softmax),
            candidates=copied(parts.candidates),
            state=copied(parts.state),
            bias_head=copied(parts.bias_head),
            output_head=own_head,
            # States and followers: see `complete`.
            neighbors=copied(n._replace(states=n.states[:0], followers=n.followers[:0])),
        )
        if tables:
            tables = tables._replace(model=copied(tables.model), states=tables.states.copy())
        return State(own, tables)

    def put_back(self, state: State) -> State:
        """Make a state that `copy` of some template has made into one of this one."""
        parts, tables = self._state
        own = state.parts
        _put_back_rows(own.output_head, parts.output_head)
        put_back(own.state, parts.state)
        put_back(own.bias_head, parts.bias_head)
        put_back(own.neighbors.n_states, parts.neighbors.n_states)
        put_back(own.neighbors.n_own, parts.neighbors.n_own)
        put_back(own.softmax.bias, parts.softmax.bias)
        if not tables:
            return state
        first = tables.model.contexts.lines
        lines = state.tables.model.contexts.lines
        if len(lines) < len(first):
            lines = np.empty_like(first)
        lines[: len(first)] = first
        none = lines[:0]
        put_back(_with_lines(state.tables.model, none), _with_lines(tables.model, none))
        put_back(state.tables.states, tables.states)
        return state._replace(
            tables=state.tables._replace(model=_with_lines(state.tables.model, lines))
        )

    def complete(self, state: State) -> State:
        """The state with sparse arrays of its own, and lines of the right number."""
        parts, tables = state
        if not self._sparse:
            return state
        sparse = self._sparse.copy()
        n_lines = len(self._state.tables.model.contexts.lines)
        lines = tables.model.contexts.lines[:n_lines]
        tables = tables._replace(
            model=_with_lines(tables.model, lines),
            match_table=sparse.match_table,
            history=sparse.history,
        )
        own = parts.neighbors._replace(states=sparse.states, followers=sparse.followers)
        return State(parts._replace(neighbors=own), tables)


def _with_lines(model: DecisionModel, lines: Any) -> DecisionModel:
    return model._replace(contexts=model.contexts._replace(lines=lines))


def _put_back_rows(head: OutputHead, first: OutputHead) -> None:
    used, kept = int(head.count[0]), int(first.count[0])
    head.weights[kept:used] = 0
    head.weights[:kept] = first.weights[:kept]
    put_back(head._replace(weights=0), first._replace(weights=0))
