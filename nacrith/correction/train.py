"""`python -m nacrith.correction.train FOLDER`: train a correction, or go on with it.

FOLDER keeps the checkpoint, snapshots, tokens of the texts, and `log.jsonl`: a line of JSON for
each report. The run ends after --tokens, and cleanly on SIGTERM or SIGINT; the same command goes
on from the checkpoint, on a processor to the same numbers as without a stop. To end early, lower
--tokens and --decay-from; to go on for longer, raise them before the decay begins, or copy a
snapshot to `checkpoint.pt`.
"""

import argparse
import ctypes
import json
import math
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from corpora import training
from nacrith.correction.checkpoint import read_base
from nacrith.correction.command import run
from nacrith.correction.documents import Tokens, documents
from nacrith.correction.sequences import sequences
from nacrith.correction.validation import bits_per_token
from nacrith.errors import FileError
from nacrith.models.catalog import default_model
from predictors.language_models.correction.factors import Factors
from predictors.language_models.correction.frozen import read_frozen
from predictors.language_models.correction.network import Network
from predictors.language_models.correction.samples import SIZE_EXPONENT, Samples
from predictors.language_models.correction.schedule import Schedule
from predictors.language_models.correction.trainer import Settings, Trainer
from predictors.language_models.exact.gguf_file import Gguf

WEIGHTS = {
    "prose": 0.28,
    "modern": 0.16,
    "wiki": 0.16,
    "code": 0.16,
    "markup": 0.10,
    "languages": 0.08,
    "data": 0.06,
}
"""How often a sequence is of each kind."""

# mallopt(3): memory is kept between steps. Given back and taken anew, it costs a tenth.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEPT_BYTES = (1 << 31) - 1

_REPORT_STEPS = 25

Sequences = Mapping[str, npt.NDArray[np.int64]]


def _weights(value: str) -> dict[str, float]:
    """What a user gives for `WEIGHTS`."""
    pairs = (part.partition("=") for part in value.split(","))
    return {kind: float(weight) for kind, _, weight in pairs}


def _exponent(value: str) -> float:
    """Of a document's size; raises ValueError if it is not between 0 and 1."""
    if not 0 <= (exponent := float(value)) <= 1:
        raise ValueError
    return exponent


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m nacrith.correction.train", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", type=Path, help="GGUF; by default that of nacrith")
    parser.add_argument("--rank", type=int, default=32)
    parser.add_argument(
        "--on", type=Path, metavar="FILE", help="a correction that is there already"
    )
    parser.add_argument("--kinds", type=_weights, default=WEIGHTS, metavar="KIND=WEIGHT,...")
    parser.add_argument("--tokens", type=int, default=10_000_000, help="of the whole run")
    parser.add_argument("--decay-from", type=int, help="tokens; by default four fifths of them")
    parser.add_argument("--rate", type=float, default=1e-3, help="learning rate")
    parser.add_argument("--warm-up", type=int, default=100_000, help="tokens")
    parser.add_argument("--length", type=int, default=512, help="tokens of a sequence")
    parser.add_argument("--sequences", type=int, default=8, help="of a step")
    parser.add_argument("--at-once", type=int, default=4, help="sequences, bounds the memory")
    parser.add_argument(
        "--size-exponent",
        type=_exponent,
        default=SIZE_EXPONENT,
        help="documents of a kind are drawn by this power of their size (default %(default)s)",
    )
    parser.add_argument(
        "--average", type=int, default=Settings().average, help="tokens of the moving average"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--device",
        default="cuda" if torch.cuda.is_available() else "cpu",
        help="of PyTorch (default %(default)s)",
    )
    parser.add_argument("--threads", type=int, default=0, help="by default all")
    parser.add_argument("--save-every", type=float, default=300, help="seconds")
    parser.add_argument("--snapshot-every", type=int, default=1_000_000, help="tokens")
    parser.add_argument("--validate-every", type=int, default=250_000, help="tokens")
    parser.add_argument("--validation-sequences", type=int, default=8, help="of a kind")
    return parser.parse_args()


class Run:
    """A training run in its folder."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._arguments = arguments
        self._folder: Path = arguments.folder
        self._folder.mkdir(parents=True, exist_ok=True)
        self._checkpoint = self._folder / "checkpoint.pt"
        self._base_file = self._folder / "base.json"
        self._stopping = False
        model = arguments.model or default_model().path
        vocabulary = Gguf(model).vocabulary()
        self._start_token = vocabulary.start_token

        def left_out(line: str) -> None:
            self._report(event="left out", what=line)

        texts, held_out = (
            documents(split, vocabulary, self._folder / "tokens", left_out)
            for split in (training.TRAIN, training.VALIDATION)
        )
        texts, held_out = (_long_enough(found, arguments.length) for found in (texts, held_out))
        self._held_out: Sequences = {
            kind: sequences(held_out[kind], arguments.validation_sequences, arguments.length)
            for kind in sorted(held_out)
        }
        base = read_base(arguments.on, model) if arguments.on else None
        frozen = read_frozen(model, base).on(arguments.device)
        factors = Factors(frozen.shape, arguments.rank, arguments.device)
        factors.initialize(arguments.seed)
        decay_from = arguments.decay_from or arguments.tokens * 4 // 5
        self._schedule = Schedule(arguments.rate, arguments.warm_up, decay_from, arguments.tokens)
        settings = Settings(
            sequences=arguments.sequences,
            at_once=arguments.at_once,
            average=arguments.average,
        )
        weights = {kind: weight for kind, weight in arguments.kinds.items() if kind in texts}
        if not any(weight > 0 for weight in weights.values()):
            raise FileError(
                f"there are no training texts of {arguments.length} tokens or more of the kinds "
                f"{', '.join(arguments.kinds)}; give others with --kinds"
            )
        samples = Samples(texts, weights, arguments.length, arguments.seed, arguments.size_exponent)
        self._trainer = Trainer(
            Network(frozen, factors), samples, self._schedule, self._start_token, settings
        )
        self._report(
            event="start",
            schedule=self._schedule._asdict(),
            settings=settings._asdict(),
            rank=arguments.rank,
            on=frozen.correction or None,
            length=arguments.length,
            weights=weights,
            size_exponent=arguments.size_exponent,
            documents={kind: len(found) for kind, found in texts.items()},
            seed=arguments.seed,
            tokens={kind: sum(map(len, tokens)) for kind, tokens in texts.items()},
        )

    def stop(self) -> None:
        """End after the step that is being made."""
        self._stopping = True

    def train(self) -> None:
        """Go on to the end, or until `stop`."""
        arguments, trainer = self._arguments, self._trainer
        self._begin()
        saved = begun = time.monotonic()
        losses: list[torch.Tensor] = []
        while trainer.tokens < arguments.tokens and not self._stopping:
            before = trainer.tokens
            losses.append(trainer.step())
            step = trainer.tokens - before
            if len(losses) == _REPORT_STEPS:
                self._report(
                    event="steps",
                    trained=trainer.tokens,
                    bits=round(float(torch.stack(losses).mean()) / math.log(2), 4),
                    rate=round(self._schedule.rate(trainer.tokens), 7),
                    per_second=round(step * len(losses) / (time.monotonic() - begun)),
                )
                losses, begun = [], time.monotonic()
            if self._passed(before, arguments.validate_every):
                self._validate()
                losses, begun = [], time.monotonic()
            if self._passed(before, arguments.snapshot_every):
                number = trainer.tokens // arguments.snapshot_every
                trainer.save(self._folder / f"snapshot-{number:04}.pt")
            if time.monotonic() - saved > arguments.save_every:
                trainer.save(self._checkpoint)
                saved = time.monotonic()
        trainer.save(self._checkpoint)
        if not self._stopping:
            self._validate()
        self._report(event="stopped" if self._stopping else "done", trained=trainer.tokens)

    def _begin(self) -> None:
        if self._checkpoint.exists():
            self._trainer.restore(self._checkpoint)
            self._report(event="restored", trained=self._trainer.tokens)
        else:
            costs = self._costs()
            self._base_file.write_text(json.dumps(costs), "utf-8")
            self._report(event="base", bits=costs)

    def _passed(self, before: int, every: int) -> bool:
        """Has the last step passed a multiple of so many tokens?"""
        return self._trainer.tokens // every > before // every

    def _costs(self) -> dict[str, float]:
        return bits_per_token(
            self._trainer.network, self._start_token, self._held_out, self._arguments.at_once
        )

    def _validate(self) -> None:
        """Report what the averaged factors take off, in per cent by kind."""
        begun = time.monotonic()
        with self._trainer.averaged():
            costs = self._costs()
        base = json.loads(self._base_file.read_text("utf-8"))
        change = {kind: round(100 * (costs[kind] / base[kind] - 1), 3) for kind in costs}
        self._report(
            event="validation",
            trained=self._trainer.tokens,
            bits=costs,
            percent=change,
            mean_percent=round(sum(change.values()) / len(change), 3),
            seconds=round(time.monotonic() - begun, 1),
        )

    def _report(self, **values: Any) -> None:
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        line = json.dumps({"time": now, **values})
        with open(self._folder / "log.jsonl", "a", encoding="utf-8") as log:
            print(line, file=log)
        print(line, flush=True)


def _long_enough(found: dict[str, list[Tokens]], length: int) -> dict[str, list[Tokens]]:
    """The kinds that have a document of so many tokens, and these."""
    usable = {
        kind: [tokens for tokens in documents if len(tokens) >= length]
        for kind, documents in found.items()
    }
    return {kind: documents for kind, documents in usable.items() if documents}


def _keep_memory() -> None:
    if sys.platform == "linux" and hasattr(ctypes.CDLL(None), "mallopt"):
        library = ctypes.CDLL(None)
        library.mallopt(_M_MMAP_THRESHOLD, _KEPT_BYTES)
        library.mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)


def main() -> None:
    arguments = _arguments()
    _keep_memory()
    # What the C++ compiler refuses runs as it is, slower.
    torch._dynamo.config.suppress_errors = True
    # The sums of the factors' gradients are over all tokens of a step.
    torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction = False
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    training_run = Run(arguments)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: training_run.stop())
    training_run.train()


if __name__ == "__main__":
    run("train", main)
