"""What a network costs on validation documents, by kind."""

import math
from collections.abc import Mapping

import numpy as np
import torch

from predictors.language_models.correction.network import Network
from predictors.language_models.correction.trainer import shifted


def bits_per_token(
    network: Network, start_token: int, by_kind: Mapping[str, np.ndarray], at_once: int
) -> dict[str, float]:
    """Mean cost of a token by kind, of sequences [n, length] each."""
    costs = {}
    for kind, targets in by_kind.items():
        total = 0.0
        for i in range(0, len(targets), at_once):
            part = torch.from_numpy(targets[i : i + at_once]).to(network.device)
            total += float(network.losses(shifted(part, start_token), part).sum())
        costs[kind] = total / targets.size / math.log(2)
    return costs
