"""What a text would cost without one of the predictors: ensembles that code it beside."""

from dataclasses import replace

from coder import Encoder
from nacrith.format.parameters import Parameters
from predictors.base import FloatArray, IntArray
from predictors.ensemble import Ensemble
from predictors.language_models.vocabulary import Vocabulary

WITHOUT: dict[str, dict[str, int]] = {
    "bias head": {"bias_rate": 0},
    "output head": {"head_rate": 0},
    "similar past states": {"neighbors": 0},
}
"""Predictors by name, each with the parameters that switch it off.

The byte-level refinement is missing: what the heads leave is what a text costs without it.
"""


class Ablated:
    """Ensembles that lack a predictor each, for the streams of one frame.

    They are given what the real one is given, and learn from the same symbols.
    """

    def __init__(
        self, vocabulary: Vocabulary, parameters: Parameters, n_streams: int, n_symbols: int
    ) -> None:
        """As of `Ensemble`; of a predictor that `parameters` switch off nothing is told."""
        self._beside: dict[str, tuple[Encoder, Ensemble]] = {}
        for name, off in WITHOUT.items():
            less = replace(parameters, **off)
            if less != parameters:
                ensemble = Ensemble(vocabulary, less, n_streams, n_symbols)
                self._beside[name] = Encoder(), ensemble

    def code(
        self, stream: int, logits: FloatArray, hidden: FloatArray | None, symbols: IntArray
    ) -> None:
        """Code symbols that are known by now; see `Ensemble.code`."""
        for encoder, ensemble in self._beside.values():
            ensemble.code(encoder, stream, logits, hidden, symbols.copy())

    def bits(self) -> dict[str, float]:
        """What all symbols so far cost without each of `WITHOUT` that is on."""
        return {name: encoder.bits for name, (encoder, _) in self._beside.items()}
