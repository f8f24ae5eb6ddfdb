"""What the CDF and the coder cost, in bits and in time, on the model's real logits."""

import time
from typing import Any

import numpy as np

from coder import CDF_BITS, Encoder, cdf_from_scores, scores_from_logits
from nacrith.bench.cross_entropy import cross_entropy
from nacrith.bench.texts import alice
from nacrith.format.parameters import Parameters
from nacrith.models.catalog import default_model
from predictors.heads.bias_head import BiasHead
from predictors.language_models.llama_cpp import LlamaCppModel

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
    scores = np.empty(len(vocabulary), dtype=np.int32)
    cdf = np.empty(len(vocabulary) + 1, dtype=np.uint32)
    head = BiasHead(len(vocabulary), parameters.bias_rate, CDF_BITS)
    biased = np.empty_like(scores)
    encoder = Encoder()
    ideal = bits_24 = bits_16 = coded_ideal = 0.0
    seconds: dict[str, list[float]] = {"scores": [], "cdf": [], "bias head": [], "coder": []}
    token = vocabulary.start_token
    for symbol in symbols.tolist():
        logits = session.step(np.array([token], dtype=np.int32))[0]
        token = int(vocabulary.token_of_symbol[symbol])
        ideal += cross_entropy(logits, token)
        times = [time.perf_counter()]
        scores_from_logits(logits, vocabulary.token_of_symbol, vocabulary.offsets, scores)
        times.append(time.perf_counter())
        cdf_from_scores(scores, cdf)
        times.append(time.perf_counter())
        bits_24 += _code_length(cdf, symbol, CDF_BITS)
        # The coder is measured on the distribution that is really coded.
        biased[:] = scores
        between = time.perf_counter()
        head.predict(biased, None)
        bias_seconds = time.perf_counter() - between
        cdf_from_scores(biased, cdf)
        coded_ideal += _code_length(cdf, symbol, CDF_BITS)
        before = time.perf_counter()
        encoder.code(cdf, CDF_BITS, symbol)
        after = time.perf_counter()
        head.update(cdf, symbol)
        bias_seconds += time.perf_counter() - after
        for _ in range(REPEATS - 1):
            encoder.code(cdf, CDF_BITS, symbol)
        cdf_from_scores(scores, cdf, 16)
        bits_16 += _code_length(cdf, symbol, 16)
        seconds["scores"].append(times[1] - times[0])
        seconds["cdf"].append(times[2] - times[1])
        seconds["coder"].append(after - before)
        seconds["bias head"].append(bias_seconds)
    session.close()
    model.close()
    n = len(symbols)
    return {
        "tokens": n,
        "ideal": ideal / n,
        "counts_24": bits_24 / n,
        "counts_16": bits_16 / n,
        "coded_ideal": coded_ideal / n,
        "coded": 8 * len(encoder.finish()) / (n * REPEATS),
        "milliseconds": {stage: 1000 * float(np.median(s)) for stage, s in seconds.items()},
    }


def _code_length(cdf: np.ndarray, symbol: int, bits: int) -> float:
    return bits - float(np.log2(float(cdf[symbol + 1] - cdf[symbol])))
