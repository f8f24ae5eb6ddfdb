"""The one loop of both directions: S streams, one token of each per step.

Encoding and decoding run this same code. Only `coder` differs: an encoder is
told the next symbol and returns it, a decoder finds it out. Whatever is learned
is learned from the symbol that `coder.code` returns.
"""

from collections.abc import Callable, Sequence

import numpy as np

from coder import CDF_BITS, Coder, cdf_from_scores, scores_from_logits
from nacrith.parameters import Parameters
from predictors.base import IntArray, Session, TokenPredictor
from predictors.bias_head import BiasHead
from predictors.vocabulary import Vocabulary

Report = Callable[[int], None]
"""Called after each step with the number of symbols coded so far."""


def stream_bounds(n_symbols: int, n_streams: int) -> list[int]:
    """Cut n_symbols into S runs of equal length (± 1): S + 1 ascending bounds.

    The longer runs come first.
    """
    short, longer = divmod(n_symbols, n_streams)
    return [i * short + min(i, longer) for i in range(n_streams + 1)]


def token_predictors(n_symbols: int, parameters: Parameters) -> list[TokenPredictor]:
    """The online predictors of one group, all untrained."""
    found: list[TokenPredictor] = []
    if parameters.bias_rate:
        found.append(BiasHead(n_symbols, parameters.bias_rate))
    return found


def code_group(
    coder: Coder,
    session: Session,
    vocabulary: Vocabulary,
    predictors: Sequence[TokenPredictor],
    symbols: IntArray,
    n_streams: int,
    report: Report = lambda done: None,
) -> None:
    """Code one group of streams.

    Args:
        coder: an encoder or a decoder.
        session: language-model session of `n_streams` streams, freshly reset.
        vocabulary: of the session's model.
        predictors: applied in order to the model's scores. All streams share them.
        symbols: [n] int32, the text in vocabulary symbols, cut into streams by
            `stream_bounds`. Read when encoding, filled in when decoding.
        n_streams: S.
        report: progress call-back.

    Raises:
        coder.ScoreError: the model returned a logit that is not finite.
    """
    bounds = stream_bounds(len(symbols), n_streams)
    lengths = [bounds[s + 1] - bounds[s] for s in range(n_streams)]
    token_of_symbol = vocabulary.token_of_symbol
    scores = np.empty(len(vocabulary), dtype=np.int32)
    cdf = np.empty(len(vocabulary) + 1, dtype=np.uint32)
    tokens = np.full(n_streams, vocabulary.start_token, dtype=np.int32)
    done = 0
    for step in range(lengths[0]):
        logits = session.step(tokens)
        # Only the last step can find some streams ended; they repeat their last
        # token, and nothing reads what comes of it.
        for stream in range(n_streams):
            if step >= lengths[stream]:
                break
            scores_from_logits(logits[stream], token_of_symbol, vocabulary.offsets, scores)
            for predictor in predictors:
                predictor.predict(stream, scores)
            cdf_from_scores(scores, cdf)
            place = bounds[stream] + step
            symbol = coder.code(cdf, CDF_BITS, symbols[place])
            symbols[place] = symbol
            for predictor in predictors:
                predictor.update(stream, cdf, symbol)
            tokens[stream] = token_of_symbol[symbol]
            done += 1
        report(done)
