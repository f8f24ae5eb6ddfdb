"""Both directions against the backend's bare decode, in one run."""

import time
from typing import Any

import numpy as np

from nacrith.bench.texts import alice
from nacrith.codec.loaded_models import load_model
from nacrith.codec.stream_choice import Cutting
from nacrith.codec.text_codec import TextCodec
from nacrith.format.parameters import Parameters
from nacrith.models.corrections import default_corrected


def measure_speed(backend: str, streams: int, n_bytes: int, rounds: int) -> dict[str, Any]:
    """Tokens/s of three loops over the same text of alice29.txt, taken in turn.

    Bare decode feeds the tokens of all streams step by step and looks at nothing.
    Each round measures all three; the medians of their ratios are reported.
    """
    text = alice()[:n_bytes]
    file = default_corrected()
    model = load_model(backend, file.path, 0, file.correction)
    parameters = Parameters()
    codec = TextCodec(model, file, parameters, Cutting(streams))
    symbols = model.vocabulary.encode(text)
    feed = _feed(model.vocabulary.token_of_symbol[symbols], model.vocabulary.start_token, streams)
    codec.encode(text[:200])  # compiles
    rates: dict[str, list[float]] = {"bare": [], "compress": [], "decompress": []}
    for _ in range(rounds):
        session = model.open(streams, parameters.window, parameters.sinks)
        begin = time.perf_counter()
        for row in feed:
            session.step(row)
        rates["bare"].append(len(symbols) / (time.perf_counter() - begin))
        session.close()
        begin = time.perf_counter()
        n_symbols, payload = codec.encode(text)
        rates["compress"].append(n_symbols / (time.perf_counter() - begin))
        begin = time.perf_counter()
        *_, last = codec.decode(payload, n_symbols, len(text))
        rates["decompress"].append(n_symbols / (time.perf_counter() - begin))
        last.known()
        if last.original != text:
            raise AssertionError("the restored text differs")
    codec.close()
    bare = np.array(rates["bare"])
    return {
        "backend": backend,
        "streams": streams,
        "tokens": len(symbols),
        "rounds": rounds,
        **{name: float(np.median(values)) for name, values in rates.items()},
        **{
            f"{name}_ratio": float(np.median(np.array(rates[name]) / bare))
            for name in ("compress", "decompress")
        },
    }


def _feed(tokens: np.ndarray, start: int, streams: int) -> np.ndarray:
    """[T, S] tokens of equally long streams."""
    steps = len(tokens) // streams
    feed = np.full((steps, streams), start, dtype=np.int32)
    feed[1:] = tokens[: steps * streams].reshape(streams, steps).T[:-1]
    return feed
