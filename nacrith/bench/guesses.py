"""What guesses save when one stream is decoded: with and without them in turn, in one process."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from coder import Coder, Decoder, Encoder
from nacrith.bench.generated import json_lines, log_lines, repeated_line
from nacrith.bench.markdown import table
from nacrith.bench.texts import alice, canterbury
from nacrith.codec.layout import Layout
from nacrith.codec.lockstep import Group, code_groups, fed_tokens, first_tokens
from nacrith.errors import ArgumentError
from nacrith.format.parameters import Parameters
from predictors.base import IntArray, LanguageModel
from predictors.ensemble import Ensemble

Result = dict[str, Any]

TOKENS = 2_000
"""Of each text."""

_TURN = 50
"""Steps that one of both takes before the other goes on: what else the machine does slows down
both."""

_BYTES = 20_000


def kinds() -> dict[str, bytes]:
    """A text of each kind; raises like `canterbury`."""
    files = canterbury()
    return {
        "a log": log_lines(_BYTES),
        "JSON lines": json_lines(_BYTES),
        "source code (fields.c)": files["fields.c"],
        "HTML (cp.html)": files["cp.html"],
        "a repeated line": repeated_line(_BYTES),
        "prose (alice29.txt)": alice()[1_000 : 1_000 + _BYTES],
    }


def measure_guesses(
    model: LanguageModel,
    texts: dict[str, bytes],
    n_tokens: int = TOKENS,
    tell: Callable[[str], None] = lambda what: None,
) -> list[Result]:
    """Decode the beginning of each text in one stream.

    Returns:
        `name`, `tokens`; `without`, `with`: tokens per second; `ratio`, and `cpu_ratio` of the
        processor time of all threads: above 1, guesses save time.

    Raises:
        ArgumentError: a text is no longer than one turn, which is not timed.
        AssertionError: what was decoded differs.
    """
    tokens = {name: model.vocabulary.encode(text)[:n_tokens] for name, text in texts.items()}
    for name, symbols in tokens.items():
        if len(symbols) <= _TURN:
            raise ArgumentError(f"{name} has {len(symbols)} tokens; it takes more than {_TURN}")
    results = []
    for name, symbols in tokens.items():
        tell(name)
        results.append({"name": name, **_measure(model, symbols)})
    return results


def _measure(model: LanguageModel, symbols: IntArray) -> Result:
    encoder = Encoder()
    for _ in _steps(model, encoder, symbols.copy(), False):
        pass
    payload = encoder.finish()
    restored = {guesses: np.full_like(symbols, -1) for guesses in (False, True)}
    decoding = {g: _steps(model, Decoder(payload), restored[g], g) for g in (False, True)}
    wall, cpu = dict.fromkeys(decoding, 0.0), dict.fromkeys(decoding, 0.0)
    for begin in range(0, len(symbols), _TURN):
        for guesses, steps in decoding.items():
            began, began_cpu = time.perf_counter(), time.process_time()
            for _ in range(min(_TURN, len(symbols) - begin)):
                next(steps)
            # The first turn makes the tables.
            if begin:
                wall[guesses] += time.perf_counter() - began
                cpu[guesses] += time.process_time() - began_cpu
    if not all(np.array_equal(found, symbols) for found in restored.values()):
        raise AssertionError("the restored symbols differ")
    timed = len(symbols) - _TURN
    return {
        "tokens": len(symbols),
        "without": timed / wall[False],
        "with": timed / wall[True],
        "ratio": wall[False] / wall[True],
        "cpu_ratio": cpu[False] / cpu[True],
    }


def _steps(model: LanguageModel, coder: Coder, symbols: IntArray, guesses: bool) -> Iterator[int]:
    vocabulary, parameters = model.vocabulary, Parameters()
    layout = Layout((len(symbols),), (1,))
    group = Group(coder, Ensemble(vocabulary, parameters, 1, len(symbols)), symbols, layout)
    session = model.open(1, parameters.window, parameters.sinks)
    read = first_tokens(vocabulary, symbols[:0])
    known = np.empty((0, 1), dtype=np.int32)
    if isinstance(coder, Encoder):
        known = fed_tokens(vocabulary, symbols, layout, read)
    yield from code_groups([group], [session], vocabulary, read, known, guesses=guesses)
    session.close()


def guesses_section(results: list[Result]) -> str:
    """The section of docs/benchmarks.md."""
    rows = [
        [
            r["name"], f"{r['tokens']:,}", f"{r['without']:.0f}", f"{r['with']:.0f}",
            f"**{r['ratio']:.2f}**", f"{r['cpu_ratio']:.2f}",
        ]
        for r in results
    ]  # fmt: skip
    return (
        "## Guesses\n\n"
        "`nacrith bench guesses`: one stream decoded with the next tokens guessed and without, in\n"
        f"turns of {_TURN} tokens. Guesses change no bit of the file.\n\n"
        + table("text | tokens | tokens/s without | with | ratio | of processor time", rows)
    )
