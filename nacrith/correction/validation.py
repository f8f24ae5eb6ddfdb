"""What a network costs on validation documents, by kind."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch

from nacrith.correction.documents import Tokens
from predictors.language_models.correction.network import Network
from predictors.language_models.correction.trainer import shifted


def sequences(documents: Sequence[Tokens], n: int, length: int) -> np.ndarray:
    """n sequences of `length` tokens, [n, length] int64, evenly from all documents."""
    usable = [tokens for tokens in documents if len(tokens) >= length]
    pieces = []
    for i in range(n):
        tokens = usable[i % len(usable)]
        of_document = (n - i % len(usable) + len(usable) - 1) // len(usable)
        place = (i // len(usable) + 0.5) / of_document
        begin = int((len(tokens) - length) * place)
        pieces.append(tokens[begin : begin + length])
    return np.stack(pieces).astype(np.int64)


def bits_per_token(
    network: Network, start_token: int, by_kind: Mapping[str, np.ndarray], at_once: int
) -> dict[str, float]:
    """Mean cost of a token by kind, of sequences [n, length] each."""
    costs = {}
    for kind, targets in by_kind.items():
        total = 0.0
        for i in range(0, len(targets), at_once):
            part = torch.from_numpy(targets[i : i + at_once])
            total += float(network.losses(shifted(part, start_token), part).sum())
        costs[kind] = total / targets.size / math.log(2)
    return costs
