"""`python -m nacrith.correction.evaluate FILE...`: what corrections take off, by kind.

Validation texts, through the exact backend, as the program runs it: the cost of the model
alone, in bits per token, without a correction and with that of each FILE.
"""

import argparse
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from corpora import training
from nacrith.correction.command import run
from nacrith.correction.documents import documents
from nacrith.correction.sequences import sequences
from nacrith.models.catalog import default_model
from predictors.language_models.array_file import cache_folder
from predictors.language_models.correction.correction_file import Correction, read_correction
from predictors.language_models.exact.model import ExactModel
from predictors.language_models.exact.model_data import kept_at

_ROWS = 64
"""Positions that are evaluated at once, of all streams together."""

WINDOW, SINKS = 1024, 4
"""As the default preset has them."""


def bits_per_token(model: ExactModel, targets: npt.NDArray[np.int64]) -> float:
    """Mean cost of a token.

    Args:
        targets: [n, T], each sequence in a stream of its own, after the start token.
    """
    n, length = targets.shape
    ahead = max(1, _ROWS // n)
    session = model.open(n, WINDOW, SINKS, ahead)
    start = np.full((n, 1), model.vocabulary.start_token)
    inputs = np.concatenate([start, targets[:, :-1]], axis=1).T.astype(np.int32)
    total = 0.0
    for begin in range(0, length, ahead):
        logits = session.evaluate(np.ascontiguousarray(inputs[begin : begin + ahead]))
        there = targets[:, begin : begin + ahead].T
        top = logits.max(axis=-1)
        sums = np.log(np.exp(logits - top[..., None]).sum(axis=-1, dtype=np.float64)) + top
        total += float((sums - np.take_along_axis(logits, there[..., None], 2)[..., 0]).sum())
    session.close()
    return total / targets.size / math.log(2)


def costs(
    path: Path, correction: Correction | None, by_kind: Mapping[str, npt.NDArray[np.int64]]
) -> dict[str, float]:
    """Bits per token of each kind of text.

    Args:
        by_kind: windows of tokens, see `bits_per_token`.
    """
    model = ExactModel(path, correction=correction)
    try:
        return {kind: bits_per_token(model, targets) for kind, targets in by_kind.items()}
    finally:
        model.close()
        # One that is only tried is not worth 168 MB of the user's disk.
        if correction and (kept := kept_at(path, correction)):
            kept.unlink(missing_ok=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m nacrith.correction.evaluate", description=__doc__
    )
    parser.add_argument("corrections", type=Path, nargs="*", metavar="FILE")
    parser.add_argument("--model", type=Path, help="GGUF; by default that of nacrith")
    parser.add_argument("--sequences", type=int, default=8, help="of a kind")
    parser.add_argument("--length", type=int, default=1024, help="tokens of a sequence")
    arguments = parser.parse_args()
    path = arguments.model or default_model().path
    model = ExactModel(path)
    folder = (cache_folder() or Path(".")).parent / "training"
    texts = documents(training.VALIDATION, model.vocabulary, folder, print)
    model.close()
    by_kind = {
        kind: sequences(texts[kind], arguments.sequences, arguments.length)
        for kind in sorted(texts)
    }
    base = costs(path, None, by_kind)
    print(f"{'':24}" + "".join(f"{kind:>11}" for kind in base) + f"{'mean':>11}")
    print(f"{'bits per token':24}" + "".join(f"{cost:11.4f}" for cost in base.values()))
    for file in arguments.corrections:
        found = costs(path, read_correction(file), by_kind)
        change = [100 * (found[kind] / base[kind] - 1) for kind in base]
        cells = "".join(f"{c:10.2f}%" for c in [*change, float(np.mean(change))])
        print(f"{file.name[:23]:24}{cells}", flush=True)


if __name__ == "__main__":
    run("evaluate", main)
