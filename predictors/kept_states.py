"""States that ensembles begin from, kept for many short texts.

To allocate an ensemble takes longer than to code fifty symbols with it: most of the time goes
into pages of memory that are touched for the first time (10 microseconds each, measured in a
virtual machine). So the memory is used again. Large arrays of which a short text touches little
are mapped afresh (`Snapshot`), of the output head the rows that have moved are put back, and the
rest is copied. What is only working memory is shared.
"""

import math
import mmap
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from predictors.ensemble import EnsembleParameters, State, new_state
from predictors.heads.output_head import OutputHead
from predictors.language_models.vocabulary import Vocabulary
from predictors.mixing.decision import line_bits
from predictors.snapshot import Snapshot, copied, put_back

_MOST_USES = 8
"""An output head is made anew after so many texts: each touches some 1,000 more of its rows."""


class KeptStates:
    """Makes states for the ensembles of one model, of which one is used at a time."""

    def __init__(self, make: Callable[..., State] = new_state) -> None:
        """`make`: called as `new_state`, once for each size of state."""
        self._make = make
        self._kept: dict[object, _Pool] = {}

    def state(
        self,
        vocabulary: Vocabulary,
        parameters: EnsembleParameters,
        n_streams: int,
        n_symbols: int,
        dimensions: int,
    ) -> State:
        """As `new_state`; the state may be used until `free` is called."""
        key = n_streams, line_bits(n_symbols), dimensions
        if key not in self._kept:
            self._kept[key] = _Pool(
                self._make(vocabulary, parameters, n_streams, n_symbols, dimensions)
            )
        return self._kept[key].state()

    def free(self) -> None:
        """None of the states is in use any more."""
        for pool in self._kept.values():
            pool.n_used = 0


class _Sparse(NamedTuple):
    """Arrays of which a short text touches little."""

    match_table: Any
    history: Any
    states: Any
    followers: Any


class _Pool:
    """States that are as one was, or are in use.

    Attributes:
        n_used: so many, the first ones, are in use.
    """

    def __init__(self, template: State) -> None:
        self._template = template
        tables, neighbors = template.tables, template.parts.neighbors
        self._sparse = tables and Snapshot(
            _Sparse(tables.match_table, tables.history, neighbors.states, neighbors.followers)
        )
        self._moved = np.flatnonzero(template.parts.output_head.moved)
        self._states: list[State] = []
        self._uses: list[int] = []
        self.n_used = 0

    def state(self) -> State:
        i = self.n_used
        self.n_used += 1
        if i == len(self._states):
            self._states.append(self._copy())
            self._uses.append(0)
        else:
            self._put_back(i)
        self._uses[i] += 1
        if self._sparse:
            self._states[i] = _with_sparse(self._states[i], self._sparse.copy())
        return self._states[i]

    def _copy(self) -> State:
        parts, tables = self._template
        s, n = parts.softmax, parts.neighbors
        # The rest of the softmax, the candidates and the votes is working memory.
        own = parts._replace(
            softmax=s._replace(bias=s.bias.copy()),
            state=copied(parts.state),
            bias_head=copied(parts.bias_head),
            output_head=self._new_head(),
            neighbors=n._replace(n_states=n.n_states.copy()),
        )
        if tables:
            tables = tables._replace(model=copied(tables.model), states=tables.states.copy())
        return State(own, tables)

    def _new_head(self) -> OutputHead:
        head = self._template.parts.output_head
        weights = _zeros(head.weights)
        weights[self._moved] = head.weights[self._moved]
        return OutputHead(weights, head.squares.copy(), head.rate, head.moved.copy())

    def _put_back(self, i: int) -> None:
        parts, tables = self._template
        state = self._states[i]
        mine = state.parts
        head, first = mine.output_head, parts.output_head
        if self._uses[i] % _MOST_USES == 0:
            self._states[i] = state._replace(parts=mine._replace(output_head=self._new_head()))
        else:
            head.weights[np.flatnonzero(head.moved)] = 0
            head.weights[self._moved] = first.weights[self._moved]
            put_back(head._replace(weights=0), first._replace(weights=0))
        put_back(mine.state, parts.state)
        put_back(mine.bias_head, parts.bias_head)
        put_back(mine.neighbors.n_states, parts.neighbors.n_states)
        put_back(mine.softmax.bias, parts.softmax.bias)
        if tables:
            put_back(state.tables.model, tables.model)
            put_back(state.tables.states, tables.states)


def _with_sparse(state: State, arrays: _Sparse) -> State:
    tables = state.tables._replace(match_table=arrays.match_table, history=arrays.history)
    neighbors = state.parts.neighbors._replace(states=arrays.states, followers=arrays.followers)
    return State(state.parts._replace(neighbors=neighbors), tables)


def _zeros(like: Any) -> Any:
    """Zeros whose pages take no memory before they are touched, one by one."""
    if not like.size:
        return np.zeros_like(like)
    memory = mmap.mmap(-1, like.nbytes)
    return np.frombuffer(memory, like.dtype, math.prod(like.shape)).reshape(like.shape)
