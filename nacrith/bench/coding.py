"""What the CDF and the coder cost, in bits and in time, on the model's real logits."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from coder import CDF_BITS, Encoder, cdf_from_scores, scores_from_logits
from nacrith.bench.cross_entropy import cross_entropy
from nacrith.bench.texts import alice
from nacrith.format.parameters import Parameters
from nacrith.models.catalog import default_model
from predictors.base import FloatArray
from predictors.heads import bias_head, candidates
from predictors.language_models.llama_cpp import LlamaCppModel
from predictors.language_models.vocabulary import Vocabulary
from predictors.softmax import new_softmax, weigh

REPEATS = 20
"""Each symbol is coded this often, so that the coder's last byte does not count."""


def measure_coding(n_tokens: int) -> dict[str, Any]:
    """Code the first tokens of alice29.txt with CDFs of 2**24 and of 2**16.

    Returns, in bits a token: the ideal cross-entropy of the model's softmax, the
    ideal code length of the integer counts for both totals, and the coder's actual
    output for 2**24; and in milliseconds a token, the median time of each stage.
    """
    model = LlamaCppModel(default_model().path)
    vocabulary = model.vocabulary
    symbols = vocabulary.encode(alice())[:n_tokens]
    parameters = Parameters()
    session = model.open(1, parameters.window, parameters.sinks)
    trial = _Trial(vocabulary, parameters.bias_rate)
    token = vocabulary.start_token
    for symbol in symbols.tolist():
        logits = session.step(np.array([token], dtype=np.int32))[0]
        token = int(vocabulary.token_of_symbol[symbol])
        trial.bits["ideal"] += cross_entropy(logits, token)
        trial.code(logits, symbol)
    session.close()
    model.close()
    n = len(symbols)
    return {
        "tokens": n,
        **{name: bits / n for name, bits in trial.bits.items()},
        "coded": 8 * len(trial.encoder.finish()) / (n * REPEATS),
        "milliseconds": {stage: 1000 * float(np.median(s)) for stage, s in trial.seconds.items()},
    }


class _Trial:
    """Codes symbols in several ways.

    Attributes:
        bits: sums by way of coding.
        seconds: of each symbol, by stage.
        encoder: has coded each symbol `REPEATS` times.
    """

    def __init__(self, vocabulary: Vocabulary, bias_rate: int) -> None:
        self._vocabulary = vocabulary
        self._scores = np.empty(len(vocabulary), dtype=np.int32)
        self._biased = np.empty_like(self._scores)
        self._cdf = np.empty(len(vocabulary) + 1, dtype=np.uint32)
        self._softmax = new_softmax(vocabulary)
        self._candidates = candidates.new_candidates()
        self._head = bias_head.new_bias_head(self._softmax, bias_rate)
        self.encoder = Encoder()
        self.bits = dict.fromkeys(("ideal", "counts_24", "counts_16", "coded_ideal"), 0.0)
        self.seconds: dict[str, list[float]] = {
            stage: [] for stage in ("scores", "cdf", "weights", "bias head", "coder")
        }

    def code(self, logits: FloatArray, symbol: int) -> None:
        vocabulary, scores, cdf = self._vocabulary, self._scores, self._cdf
        with self._timed("scores"):
            scores_from_logits(logits, vocabulary.token_of_symbol, vocabulary.offsets, scores)
        with self._timed("cdf"):
            cdf_from_scores(scores, cdf)
        self.bits["counts_24"] += _code_length(cdf, symbol, CDF_BITS)
        # The coder is measured on the distribution that is really coded.
        with self._timed("weights"):
            weigh(self._softmax, logits)
        with self._timed("bias head"):
            candidates.find_candidates(self._softmax, self._candidates)
            candidates.reweigh(self._softmax, self._candidates)
            candidates.write_scores(self._softmax, self._candidates, self._biased)
        cdf_from_scores(self._biased, cdf)
        self.bits["coded_ideal"] += _code_length(cdf, symbol, CDF_BITS)
        with self._timed("coder"):
            self.encoder.code(cdf, CDF_BITS, symbol)
        predicting = self.seconds["bias head"].pop()
        with self._timed("bias head"):
            bias_head.update(self._head, self._softmax, self._candidates, symbol)
        self.seconds["bias head"][-1] += predicting
        for _ in range(REPEATS - 1):
            self.encoder.code(cdf, CDF_BITS, symbol)
        cdf_from_scores(scores, cdf, 16)
        self.bits["counts_16"] += _code_length(cdf, symbol, 16)

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        begin = time.perf_counter()
        yield
        self.seconds[stage].append(time.perf_counter() - begin)


def _code_length(cdf: np.ndarray, symbol: int, bits: int) -> float:
    return bits - float(np.log2(float(cdf[symbol + 1] - cdf[symbol])))
