"""What each predictor is worth: the ensemble without it, on several kinds of text."""

from dataclasses import replace
from typing import Any

from nacrith.bench.recording import Recording, record
from nacrith.bench.replay import model_alone, replay
from nacrith.bench.store import cached
from nacrith.bench.texts import canterbury, enwik8
from nacrith.format.parameters import Parameters
from nacrith.models.corrections import default_corrected
from nacrith.transforms.prepare import prepare
from predictors.language_models.exact.model import ExactModel
from predictors.mixing.contexts import ALL_KINDS, KINDS

Result = dict[str, Any]

LENGTH = 30_000
"""Bytes of each text."""


def texts(length: int = LENGTH) -> dict[str, bytes]:
    """The beginnings of texts of several kinds, by name."""
    files = canterbury()
    names = ("alice29.txt", "asyoulik.txt", "lcet10.txt", "cp.html", "fields.c", "xargs.1")
    found = {name: files[name][:length] for name in names}
    found["enwik8"] = enwik8(1_000_000)[:length]
    return found


def variations() -> dict[str, Parameters | None]:
    """The default parameters, then with one predictor or group of them switched off.

    None stands for the language model's softmax and an ideal coder.
    """
    default = Parameters()
    found: dict[str, Parameters | None] = {
        "everything": default,
        "bias head": replace(default, bias_rate=0),
        "output head": replace(default, head_rate=0),
        "both heads": replace(default, bias_rate=0, head_rate=0),
        "neighbors": replace(default, neighbors=0),
        "byte-level refinement": replace(default, contexts=0),
        "everything but the model": None,
        "line breaks apart": default,
    }
    for kind, name in enumerate(KINDS):
        found[f"context: {name}"] = replace(default, contexts=ALL_KINDS & ~(1 << kind))
    return found


def run_ablation(length: int = LENGTH, quick: bool = False) -> list[Result]:
    """Measure every variation on every text, or take what was measured before.

    Returns one result per variation: `off`, `sizes` in bytes by text, and
    `milliseconds` a token, the language model not counted.
    """
    raw = texts(length)
    prepared = {name: prepare(text) for name, text in raw.items()}
    breaks = {name: text.breaks_size for name, text in prepared.items()}
    model: ExactModel | None = None

    def recorded(text: bytes, name: str) -> Recording:
        nonlocal model
        file = default_corrected()
        model = model or ExactModel(file.path, correction=file.correction)
        return record(model, name, model.vocabulary.encode(text))

    def measure(off: str, parameters: Parameters | None) -> Result:
        sizes, spent, tokens = {}, 0.0, 0
        for name, text in prepared.items():
            as_it_is = off == "line breaks apart" and text.text != raw[name]
            recording = (
                recorded(raw[name], f"{name}-{length}-raw")
                if as_it_is
                else recorded(text.text, f"{name}-{length}")
            )
            apart = 0 if as_it_is else breaks[name]
            if parameters is None:
                sizes[name] = round(model_alone(recording)) + apart
                continue
            assert model is not None
            done = replay(model.vocabulary, [recording], parameters)
            sizes[name] = done.size + apart
            spent += done.milliseconds * done.tokens
            tokens += done.tokens
        return {"off": off, "sizes": sizes, "milliseconds": spent / max(tokens, 1)}

    chosen = variations()
    if quick:
        chosen = {name: p for name, p in chosen.items() if not name.startswith("context")}
    results = []
    for off, parameters in chosen.items():
        key = f"ablation-{length}-{off.replace(' ', '-').replace(':', '')}"
        results.append(cached(key, lambda o=off, p=parameters: measure(o, p)))  # type: ignore[misc]
    return results


def print_ablation(results: list[Result]) -> None:
    """Show what switching each predictor off costs, in per cent of the size."""
    from rich.console import Console
    from rich.table import Table

    everything = results[0]
    names = list(everything["sizes"])
    table = Table(title="size without a predictor, against the whole ensemble (per cent)")
    for column in ("off", *names, "all", "ms/token"):
        table.add_column(column, justify="left" if column == "off" else "right")
    for result in results:
        table.add_row(*row(result, everything, names))
    Console(width=130).print(table)


def row(result: Result, everything: Result, names: list[str]) -> list[str]:
    """One line of the table: bytes for the whole ensemble, else differences."""
    if result is everything:
        sizes = [everything["sizes"][name] for name in names]
        return ["(nothing)", *map(str, sizes), str(sum(sizes)), f"{result['milliseconds']:.3f}"]
    cells = []
    for part in (*([name] for name in names), names):
        before = sum(everything["sizes"][name] for name in part)
        after = sum(result["sizes"][name] for name in part)
        cells.append(f"{100 * (after / before - 1):+.2f}")
    saved = result["milliseconds"] - everything["milliseconds"]
    return [result["off"], *cells, f"{saved:+.3f}" if result["milliseconds"] else "-"]
