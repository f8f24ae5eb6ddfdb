"""Steps of training, and the checkpoint from which they go on as if nothing had happened."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from predictors.base import ModelError
from predictors.language_models.correction.network import Network
from predictors.language_models.correction.samples import Samples
from predictors.language_models.correction.schedule import Schedule


class Settings(NamedTuple):
    """Of a step.

    Attributes:
        sequences: of a step. at_once: of them, how many go through the network together.
        betas, epsilon: of Adam (Kingma & Ba 2015); there is no weight decay.
        clip: largest norm of the gradient.
        average: tokens over which the factors are averaged (EMA).
    """

    sequences: int = 8
    at_once: int = 4
    betas: tuple[float, float] = (0.9, 0.99)
    epsilon: float = 1e-8
    clip: float = 1.0
    average: int = 250_000


class Trainer:
    """Trains a network's factors.

    Attributes:
        tokens: trained on so far.
        average: [n] float32, an exponential moving average of the factors.
    """

    def __init__(
        self,
        network: Network,
        samples: Samples,
        schedule: Schedule,
        start_token: int,
        settings: Settings,
    ) -> None:
        self.network = network
        self.samples = samples
        self.schedule = schedule
        self.settings = settings
        self.tokens = 0
        self._start = start_token
        flat = network.factors.flat
        self.average = flat.clone()
        self._adam = torch.optim.AdamW(
            [flat], lr=0.0, betas=settings.betas, eps=settings.epsilon, weight_decay=0.0, fused=True
        )

    def step(self) -> Tensor:
        """One step.

        Returns:
            The mean cost of a token, in nats: float64, on the device, which may not have it yet.
        """
        settings, factors = self.settings, self.network.factors
        factors.gradient.zero_()
        targets = torch.from_numpy(self.samples.draw(settings.sequences)).to(self.network.device)
        inputs = shifted(targets, self._start)
        costs = [
            self.network.add_gradients(inputs[i : i + settings.at_once], part)
            for i in range(0, len(targets), settings.at_once)
            if len(part := targets[i : i + settings.at_once])
        ]
        n = targets.numel()
        factors.gradient /= n
        norm = torch.linalg.vector_norm(factors.gradient)
        factors.gradient *= torch.clamp(settings.clip / norm, max=1)
        factors.flat.grad = factors.gradient
        self._adam.param_groups[0]["lr"] = self.schedule.rate(self.tokens)
        self._adam.step()
        self.tokens += n
        # Over the first tokens the average is over all of them.
        self.average.lerp_(factors.flat, n / min(settings.average, max(n, self.tokens)))
        self.network.merge()
        return torch.stack(costs).sum() / n

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """For as long as it is open the network has the averaged factors."""
        flat = self.network.factors.flat
        trained = flat.clone()
        try:
            flat.copy_(self.average)
            self.network.merge()
            yield
        finally:
            flat.copy_(trained)
            self.network.merge()

    def save(self, path: Path) -> None:
        """Write a checkpoint: whole or not at all."""
        state: dict[str, Any] = {
            "factors": self.network.factors.flat,
            "average": self.average,
            "adam": self._adam.state_dict(),
            "tokens": self.tokens,
            "samples": self.samples.state(),
            "rank": self.network.factors.rank,
            "on": self.network.frozen.correction,
        }
        descriptor, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
        try:
            with os.fdopen(descriptor, "wb") as file:
                torch.save(state, file)
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise

    def restore(self, path: Path) -> None:
        """Go on from a checkpoint.

        Raises:
            ModelError: its factors are of another rank, or were trained on other weights.
        """
        state = torch.load(path, weights_only=True, map_location=self.network.device)
        if state["rank"] != self.network.factors.rank:
            raise ModelError(f"{path} has factors of rank {state['rank']}; use --rank")
        here = self.network.frozen.correction
        if (on := state.get("on", here)) != here:
            name = f"the correction {on[:16]}" if on else "no correction"
            raise ModelError(f"{path} was trained on {name}; use --on as then")
        self.network.factors.flat.copy_(state["factors"])
        self.average.copy_(state["average"])
        self._adam.load_state_dict(state["adam"])
        self.tokens = int(state["tokens"])
        self.samples.restore(state["samples"])
        self.network.merge()


def shifted(targets: Tensor, start_token: int) -> Tensor:
    """What the model reads to predict targets [B, T]: the start token, then all but the last."""
    return torch.cat([torch.full_like(targets[:, :1], start_token), targets[:, :-1]], 1)
