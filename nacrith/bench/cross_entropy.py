"""What tokens cost under the model's softmax, with an ideal coder."""

import numpy as np
import numpy.typing as npt

from nacrith.format.parameters import Parameters
from predictors.base import IntArray, LanguageModel


def cross_entropy(logits: npt.NDArray[np.float32], token: int) -> float:
    """Bits of `token` under the softmax of `logits`, [V] float32 in nats."""
    log_p = logits.astype(np.float64) - logits.max()
    return float((np.log(np.exp(log_p).sum()) - log_p[token]) / np.log(2))


def cross_entropy_of(model: LanguageModel, text: bytes, parameters: Parameters) -> float:
    """Bits of a text as it is, read by one stream."""
    tokens = model.vocabulary.token_of_symbol[model.vocabulary.encode(text)]
    return cross_entropy_of_tokens(model, tokens, parameters)


def cross_entropy_of_tokens(
    model: LanguageModel, tokens: IntArray, parameters: Parameters
) -> float:
    """Bits of [n] tokens, read by one stream."""
    fed = np.concatenate([[model.vocabulary.start_token], tokens[:-1]]).astype(np.int32)[:, None]
    session = model.open(1, parameters.window, parameters.sinks)
    session.prefetch(fed)
    bits = 0.0
    for token, following in zip(fed, tokens, strict=True):
        bits += cross_entropy(session.step(token)[0], int(following))
    session.close()
    return bits
