"""What a token costs under the model's softmax, with an ideal coder."""

import numpy as np
import numpy.typing as npt


def cross_entropy(logits: npt.NDArray[np.float32], token: int) -> float:
    """Bits of `token` under the softmax of `logits`, [V] float32 in nats."""
    log_p = logits.astype(np.float64) - logits.max()
    return float((np.log(np.exp(log_p).sum()) - log_p[token]) / np.log(2))
