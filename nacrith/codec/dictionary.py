"""A dictionary in front of a text: what the model and the predictors have read before it.

Its symbols are coded as those of a text are, by an encoder whose output nobody wants, in the
same loop; a text then begins with the state that is left.
"""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from coder import Encoder
from nacrith.codec.layout import Layout
from nacrith.codec.lockstep import Group, code_groups, fed_tokens, first_tokens
from nacrith.format.parameters import Parameters
from nacrith.system import signals
from predictors.base import BatchSession, IntArray, LanguageModel, Session
from predictors.ensemble import Ensemble, EnsembleParameters, State
from predictors.language_models.vocabulary import Vocabulary
from predictors.text.text_model import MAX_DICTIONARY

MAX_PARTS = 4
"""Parts of a dictionary that are read, the last ones, each from an empty context."""


def parts_of(vocabulary: Vocabulary, dictionary: bytes, window: int) -> list[IntArray]:
    """The symbols that are read, [n] int32 a part: three quarters of a window, the last one whole.

    They are of the last `MAX_DICTIONARY` bytes, as with text that needs no model.

    What is left of the window is for the text, so that a short one drops nothing of the last
    part.
    """
    symbols = vocabulary.encode(dictionary[-MAX_DICTIONARY:])
    size = window * 3 // 4
    symbols = symbols[-MAX_PARTS * size :]
    first = len(symbols) % size
    cuts = list(range(first or size, len(symbols), size))
    return list(np.split(symbols, cuts))


class Dictionary:
    """A dictionary for the texts of one codec. The model reads it when it is needed first."""

    def __init__(self, model: LanguageModel, parameters: Parameters, dictionary: bytes) -> None:
        """`dictionary`: not empty."""
        self._model = model
        self._parameters = parameters
        self._parts = parts_of(model.vocabulary, dictionary, parameters.window)
        self._saved: Any = None

    def __len__(self) -> int:
        """Symbols that are read."""
        return sum(map(len, self._parts))

    def state(
        self,
        vocabulary: Vocabulary,
        parameters: EnsembleParameters,
        n_streams: int,
        n_symbols: int,
        dimensions: int = 0,
    ) -> State:
        """As `new_state`, but trained: the first stream's past is the dictionary.

        Args:
            dimensions: does not matter.
        """
        model, p = self._model, self._parameters
        ensemble = Ensemble(vocabulary, parameters, n_streams, n_symbols)
        session = model.open(1, p.window, p.sinks)
        start = first_tokens(vocabulary, self._parts[0][:0])
        for symbols in self._parts:
            session.reset()
            layout = Layout((len(symbols),), (1,))
            known = fed_tokens(vocabulary, symbols, layout, start)
            group = Group(Encoder(), ensemble, symbols.copy(), layout)
            for _ in code_groups([group], [session], vocabulary, start, known):
                signals.check()
        if model.numerics.is_exact:
            self._saved = cast(BatchSession, session).save()
        session.close()
        assert ensemble.state
        return ensemble.state

    def begin(self, sessions: Sequence[Session]) -> IntArray:
        """Let sessions, freshly reset, have read the last part; `state` was called before.

        Returns:
            [r] int32, the tokens that they are still to read.
        """
        last, vocabulary = self._parts[-1], self._model.vocabulary
        if not self._saved:
            return first_tokens(vocabulary, last)
        for session in sessions:
            cast(BatchSession, session).restore(self._saved)
        return vocabulary.token_of_symbol[last[-1:]]
