"""Whole texts at the default settings from recorded outputs: hours become minutes.

The model's outputs are recorded as many tokens at once as fit a batch, and the
streams one after the other; then the streams are coded in lockstep. The result
differs from a real run by the rounding of the recording (below 0.02 %), and
can't be decoded.
"""

from typing import Any

import numpy as np

from nacrith.bench.cross_entropy import cross_entropy
from nacrith.bench.recording import BATCH, forget, record
from nacrith.bench.replay import model_alone, replay
from nacrith.bench.texts import canterbury, enwik8
from nacrith.lockstep import stream_bounds
from nacrith.parameters import Parameters
from nacrith.prepared_text import prepare
from predictors.llama_cpp import LlamaCppModel

# Header, frame and trailer around a single payload.
_CONTAINER = 77


def measured_texts() -> dict[str, tuple[bytes, int]]:
    """(text, streams) of each text that is too long for a real run here."""
    files = canterbury()
    return {
        **{name: (files[name], 1) for name in ("asyoulik.txt", "lcet10.txt", "plrabn12.txt")},
        "enwik8, 200,000 bytes": (enwik8(200_000), 1),
        "enwik8, 1,000,000 bytes": (enwik8(1_000_000), 1),
        "enwik8, 1,000,000 bytes, 8 streams": (enwik8(1_000_000), 8),
    }


def measure_whole(model: LlamaCppModel, name: str, text: bytes, streams: int) -> dict[str, Any]:
    """Size of the file, everything counted, and of the model alone, in bytes."""
    prepared = prepare(text)
    symbols = model.vocabulary.encode(prepared.text)
    bounds = stream_bounds(len(symbols), streams)
    names = [f"{name}-stream{i}of{streams}" for i in range(streams)]
    recordings = [
        record(model, part, symbols[bounds[i] : bounds[i + 1]]) for i, part in enumerate(names)
    ]
    done = replay(model.vocabulary, recordings, Parameters(streams=streams))
    # Alone, the model reads the text as it is: the transforms are part of the rest.
    as_it_is = prepared.text == text
    alone = sum(model_alone(r) for r in recordings) if as_it_is else _cross_entropy_of(model, text)
    for part in names:
        forget(part)
    extra = prepared.breaks_size + _CONTAINER
    return {
        "name": name,
        "bytes": len(text),
        "streams": streams,
        "tokens": done.tokens,
        "size": done.size + extra,
        "model_alone": alone + _CONTAINER,
        "milliseconds": done.milliseconds,
    }


def _cross_entropy_of(model: LlamaCppModel, text: bytes) -> float:
    """Bytes of a text under the model's softmax, one stream, with an ideal coder."""
    p = Parameters()
    tokens = model.vocabulary.token_of_symbol[model.vocabulary.encode(text)]
    fed = np.concatenate([[model.vocabulary.start_token], tokens[:-1]]).astype(np.int32)
    session = model.open(1, p.window, p.sinks, BATCH)
    bits, i = 0.0, 0
    for logits, _ in session.logits_of(fed):
        for row in logits:
            bits += cross_entropy(row, int(tokens[i]))
            i += 1
    session.close()
    return bits / 8
