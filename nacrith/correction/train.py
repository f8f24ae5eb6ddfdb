"""`python -m nacrith.correction.train FOLDER`: train a correction, or go on with it.

FOLDER keeps the checkpoint, snapshots, tokens of the texts, and `log.jsonl`: one line of JSON
for each report. The run ends itself after --tokens, and cleanly on SIGTERM; the same command
goes on from the checkpoint. To end early, lower --tokens and --decay-from; to go on for
longer, raise them before the decay begins, or from a snapshot copied to `checkpoint.pt`.
"""

import argparse
import ctypes
import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import torch

from corpora import training
from nacrith.correction.documents import documents
from nacrith.correction.sequences import sequences
from nacrith.correction.validation import bits_per_token
from nacrith.models.catalog import default_model
from predictors.language_models.correction.factors import Factors
from predictors.language_models.correction.frozen import read_frozen
from predictors.language_models.correction.network import Network
from predictors.language_models.correction.samples import Samples
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
_KEPT = (1 << 31) - 1

_REPORT_STEPS = 25


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m nacrith.correction.train", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", type=Path, help="GGUF; by default that of nacrith")
    parser.add_argument("--rank", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=10_000_000, help="of the whole run")
    parser.add_argument("--decay-from", type=int, help="tokens; by default four fifths of them")
    parser.add_argument("--rate", type=float, default=1e-3, help="learning rate")
    parser.add_argument("--warm-up", type=int, default=100_000, help="tokens")
    parser.add_argument("--length", type=int, default=512, help="tokens of a sequence")
    parser.add_argument("--sequences", type=int, default=8, help="of a step")
    parser.add_argument("--at-once", type=int, default=4, help="sequences, bounds the memory")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=0, help="by default all")
    parser.add_argument("--save-every", type=float, default=300, help="seconds")
    parser.add_argument("--snapshot-every", type=int, default=1_000_000, help="tokens")
    parser.add_argument("--validate-every", type=int, default=250_000, help="tokens")
    parser.add_argument("--validation-sequences", type=int, default=8, help="of a kind")
    return parser.parse_args()


def main() -> None:
    arguments = _arguments()
    folder = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    log = open(folder / "log.jsonl", "a", encoding="utf-8")  # noqa: SIM115

    def report(**values: Any) -> None:
        line = json.dumps({"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), **values})
        print(line, file=log, flush=True)
        print(line, flush=True)

    _keep_memory()
    # What the C++ compiler refuses runs as it is, slower.
    torch._dynamo.config.suppress_errors = True
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    model = arguments.model or default_model().path
    vocabulary = Gguf(model).vocabulary()
    known = {
        split: documents(
            split, vocabulary, folder / "tokens", lambda line: report(event="left out", what=line)
        )
        for split in (training.TRAIN, training.VALIDATION)
    }
    held_out = {
        kind: sequences(known[training.VALIDATION][kind], arguments.validation_sequences,
                        arguments.length)
        for kind in sorted(known[training.VALIDATION])
    }  # fmt: skip

    frozen = read_frozen(model)
    factors = Factors(frozen.shape, arguments.rank)
    factors.initialize(arguments.seed)
    samples = Samples(known[training.TRAIN], WEIGHTS, arguments.length, arguments.seed)
    decay_from = arguments.decay_from or arguments.tokens * 4 // 5
    schedule = Schedule(arguments.rate, arguments.warm_up, decay_from, arguments.tokens)
    settings = Settings(sequences=arguments.sequences, at_once=arguments.at_once)
    trainer = Trainer(Network(frozen, factors), samples, schedule, vocabulary.start_token, settings)
    checkpoint = folder / "checkpoint.pt"
    report(
        event="start", schedule=schedule._asdict(), settings=settings._asdict(),
        rank=arguments.rank, length=arguments.length, weights=WEIGHTS, seed=arguments.seed,
        tokens={k: sum(map(len, d)) for k, d in known[training.TRAIN].items()},
    )  # fmt: skip

    def validate() -> None:
        begun = time.monotonic()
        trained = factors.flat.clone()
        factors.flat.copy_(trainer.average)
        trainer.network.merge()
        costs = bits_per_token(
            trainer.network, vocabulary.start_token, held_out, arguments.at_once
        )
        factors.flat.copy_(trained)
        trainer.network.merge()
        base.update(base or costs)
        change = {k: round(100 * (costs[k] / base[k] - 1), 3) for k in costs}
        report(
            event="validation", trained=trainer.tokens, bits=costs, percent=change,
            mean_percent=round(sum(change.values()) / len(change), 3),
            seconds=round(time.monotonic() - begun, 1),
        )  # fmt: skip

    base: dict[str, float] = {}
    if checkpoint.exists():
        base.update(json.loads((folder / "base.json").read_text("utf-8")))
        trainer.restore(checkpoint)
        report(event="restored", trained=trainer.tokens)
    else:
        validate()
        (folder / "base.json").write_text(json.dumps(base), "utf-8")

    stopping = []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))
    saved = begun = time.monotonic()
    loss, steps, since = 0.0, 0, trainer.tokens
    while trainer.tokens < arguments.tokens and not stopping:
        before = trainer.tokens
        loss += trainer.step()
        steps += 1
        after = trainer.tokens
        if steps == _REPORT_STEPS:
            seconds = time.monotonic() - begun
            report(
                event="steps", trained=after, bits=round(loss / steps / 0.6931471805599453, 4),
                rate=round(schedule.rate(after), 7), per_second=round((after - since) / seconds),
            )  # fmt: skip
            loss, steps, since, begun = 0.0, 0, after, time.monotonic()
        if after // arguments.validate_every > before // arguments.validate_every:
            validate()
            begun, since, loss, steps = time.monotonic(), after, 0.0, 0
        if after // arguments.snapshot_every > before // arguments.snapshot_every:
            trainer.save(folder / f"snapshot-{after // arguments.snapshot_every:04}.pt")
        if time.monotonic() - saved > arguments.save_every:
            trainer.save(checkpoint)
            saved = time.monotonic()
    trainer.save(checkpoint)
    if not stopping:
        validate()
    report(event="stopped" if stopping else "done", trained=trainer.tokens)


def _keep_memory() -> None:
    if os.name == "posix" and hasattr(ctypes.CDLL(None), "mallopt"):
        library = ctypes.CDLL(None)
        library.mallopt(_M_MMAP_THRESHOLD, _KEPT)
        library.mallopt(_M_TRIM_THRESHOLD, _KEPT)


if __name__ == "__main__":
    main()
