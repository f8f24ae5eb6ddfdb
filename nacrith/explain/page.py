"""The page: one HTML file that needs no network.

All text is in it, so that a browser finds and prints it; the script gives colours to what is on
the screen. The tokens' data is packed: columns of integers, deflated, in base64.
"""

import base64
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files

import numpy as np

from nacrith.codec.token_log import N_BEST
from nacrith.explain.curve import Curve, curve_of, path
from nacrith.explain.odds import odds
from nacrith.explain.picture import picture
from nacrith.explain.rows import BINARY, NONE, Rows
from nacrith.explain.totals import Totals
from nacrith.explain.words import Word, surprising_words

BLOCK = 300
"""Tokens after which a new line begins a new block of the page; at the latest after four times
as many."""

_BITS_UNIT = 256
_MOST_BITS = (1 << 16) - 1
_PROBABILITY_UNIT = (1 << 16) - 1
_CURVE_WIDTH, _CURVE_HEIGHT = 1000, 100


@dataclass(frozen=True)
class Subject:
    """What the page is about.

    Attributes:
        name: the title.
        strings: by the numbers in `rows`.
        rows: [n] `rows.SHOWN`.
        totals: sums of them.
        model_size, correction_size: bytes that are needed besides the file to restore it.
    """

    name: str
    strings: list[str]
    rows: Rows
    totals: Totals
    model_size: int = 0
    correction_size: int = 0


def make_page(subject: Subject) -> str:
    """The page as HTML."""
    curve = curve_of(subject.rows)
    begins = _block_begins(subject)
    data = {
        "name": subject.name,
        "strings": subject.strings,
        "rows": len(subject.rows),
        "others": N_BEST + 1,
        "none": NONE,
        "binary": BINARY,
        "bitsUnit": _BITS_UNIT,
        "probabilityUnit": _PROBABILITY_UNIT,
        "totals": vars(subject.totals),
        "curve": vars(curve),
        "blocks": begins,
    }
    parts = {
        "CSS": _resource("page.css"),
        "NAME": escape(subject.name),
        "SUMMARY": _summary(subject),
        "ABOUT": "".join(_about(subject)),
        "CURVE": _curve(curve, subject.totals.original),
        "TEXT": "".join(_blocks(subject, begins)),
        # A "<" could end the element that holds the JSON.
        "PAGE": json.dumps(data, ensure_ascii=False).replace("<", "\\u003c"),
        "COLUMNS": base64.b64encode(_pack(subject.rows)).decode("ascii"),
        "SCRIPT": _resource("page.js"),
    }
    before, *pieces = _resource("page.html").split("@")
    page = [before]
    # What is put in may hold an @ itself.
    for name, text in zip(pieces[::2], pieces[1::2], strict=True):
        page += parts[name], text
    return "".join(page)


def _resource(name: str) -> str:
    return files("nacrith.explain").joinpath(name).read_text("utf-8")


def _summary(subject: Subject) -> str:
    t = subject.totals
    text = (
        f"{t.original:,} bytes in {t.tokens:,} tokens; compressed {t.file // 8:,} bytes, "
        f"{t.file / t.original:.3f} bits per byte."
    )
    if subject.model_size:
        text += f" The model, {subject.model_size / 1e6:.0f} MB"
        if subject.correction_size:
            text += f", and the correction of its weights, {subject.correction_size / 1e6:.1f} MB"
        text += ", are needed to restore it" if subject.correction_size else ", is needed too"
        text += " and are not counted." if subject.correction_size else " and is not counted."
    return text


def _about(subject: Subject) -> Iterator[str]:
    """The tables above the text."""
    t = subject.totals
    yield _sizes(t)
    yield _table(
        "The tokens, predictor by predictor",
        ["", "bytes", "bits a token", "against the model"],
        [
            _stage("language model alone", t.model, t),
            _stage("+ bias head, output head", t.heads, t),
            _stage("+ byte-level refinement", t.coded, t),
        ],
        verdict(t),
    )
    yield _table(
        "The file without a predictor",
        ["without", "bytes", "of the file"],
        [
            [
                name,
                signed_bytes((bits - t.coded) / 8),
                _signed(100 * (bits - t.coded) / t.file) + " %",
            ]
            for name, bits in t.without.items()
        ],
        "What the file would take more (+) or less (−) without it, all others as they are: "
        "they know much in common, so these do not add up.",
    )
    parts = [_part("tokens", t.coded, t), _part("line breaks, streams, checks", t.other, t)]
    if t.binary:
        parts.append(_part("binary data", t.binary, t))
    parts += [_part("container", t.container, t), _part("file", t.file, t)]
    yield _table("What the file is made of", ["", "bytes", ""], parts, last="sum")
    yield _words(surprising_words(subject.strings, subject.rows))
    yield _share(subject)


def verdict(t: Totals) -> str:
    """Does it pay to correct the model on this text?"""
    more = t.coded - t.model
    if more > 0:
        return (
            f"Here the predictors after the model cost {_bytes(more / 8)}: "
            "the text is too short for them to learn what pays."
        )
    return f"The predictors after the model save {_bytes(-more / 8)} here."


def _sizes(t: Totals) -> str:
    """Bars of the sizes."""
    sizes = [("original", 8 * t.original), ("gzip -9", t.gzip), ("xz -9e", t.xz), ("here", t.file)]
    longest = max(bits for _, bits in sizes)
    rows = "".join(
        f"<tr><td>{name}<td>{bits // 8:,}<td>{100 * bits / 8 / t.original:.1f} %"
        f'<td class="bar"><i class="{"ours" if name == "here" else ""}" '
        f'style="width:{100 * bits / longest:.1f}%"></i>'
        for name, bits in sizes
    )
    return (
        f'<table class="sizes"><caption>Size</caption><tr><th><th>bytes<th>of it<th>{rows}</table>'
    )


def _stage(name: str, bits: float, t: Totals) -> list[str]:
    change = "" if bits == t.model else f"{_signed(100 * (bits / t.model - 1))} %"
    return [name, f"{bits / 8:,.0f}", f"{bits / t.tokens:.3f}", change]


def _part(name: str, bits: float, t: Totals) -> list[str]:
    return [name, f"{bits / 8:,.1f}", f"{100 * bits / t.file:.1f} %"]


_FEW = 10
"""Bytes; of fewer the first decimal counts: without it they would be +0 or −0."""


def _bytes(n: float) -> str:
    return f"{n:,.0f} {'byte' if round(n) == 1 else 'bytes'}"


def signed_bytes(n: float) -> str:
    """Bytes more or less."""
    return _signed(n, 1 if abs(n) < _FEW else 0)


def _signed(x: float, digits: int = 1) -> str:
    return f"{x:+,.{digits}f}".replace("-", "−")


def _table(
    caption: str,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    note: str = "",
    last: str = "",
) -> str:
    lines = ["".join(f"<th>{cell}" for cell in head)]
    lines += ["".join(f"<td>{cell}" for cell in row) for row in rows]
    body = "".join(
        f'<tr class="{last}">{line}' if last and i == len(rows) else f"<tr>{line}"
        for i, line in enumerate(lines)
    )
    note = f"<p>{note}</p>" if note else ""
    return f"<section><table><caption>{caption}</caption>{body}</table>{note}</section>"


def _words(words: Sequence[Word]) -> str:
    if not words:
        return ""
    items = "".join(
        f'<li><a href="#text" data-row="{word.row}"><b>{escape(word.text)}</b></a> '
        f"{word.bits:.1f} bits, {odds(word.bits)}"
        f"<br><q>…{escape(word.before)}<b>{escape(word.text)}</b>{escape(word.after)}…</q>"
        for word in words
    )
    return f'<section class="words"><h2>The most surprising words</h2><ol>{items}</ol></section>'


def _share(subject: Subject) -> str:
    drawn = base64.b64encode(picture(subject.name, subject.totals).encode()).decode("ascii")
    return (
        '<p class="share"><a id="share" '
        f'download="{escape(subject.name)}.svg" href="data:image/svg+xml;base64,{drawn}">'
        "Image to share</a>: the sizes as a picture, without any of the text.</p>"
    )


def _curve(curve: Curve, size: int) -> str:
    """The curve, and the labels of its axes."""
    top, w, h = curve.top, _CURVE_WIDTH, _CURVE_HEIGHT
    model, coded = (path(values, top, w, h) for values in (curve.model, curve.coded))
    lines = "".join(
        f'<path class="grid" d="M0 {h * (1 - y / top):.1f}H{w}"/>' for y in curve.lines()
    )
    labels = "".join(
        f'<span style="bottom:{100 * y / top:.1f}%">{y:g}</span>' for y in [0, *curve.lines()]
    )
    edge = w * 0.5 / len(curve.coded)
    area = f"{coded}V{h}H{edge:.1f}Z"
    ends = "".join(f"<span>{_place(size * i / 4)}</span>" for i in range(5))
    return (
        f'<div class="plot"><div class="y">{labels}</div>'
        f'<svg id="curve" viewBox="0 0 {w} {h}" preserveAspectRatio="none" role="img" '
        'aria-label="bits per byte along the file">'
        f'<rect id="window" width="0" height="{h}"/>{lines}<path class="area" d="{area}"/>'
        f'<path class="model" d="{model}"/><path class="coded" d="{coded}"/></svg></div>'
        f'<div class="x">{ends}</div>'
    )


def _place(size: float) -> str:
    for unit, name in ((1e6, "MB"), (1e3, "KB")):
        if size >= unit:
            return f"{size / unit:.3g} {name}"
    return f"{size:.0f} bytes" if size else "0"


def _block_begins(subject: Subject) -> list[int]:
    """The row that each block begins with; a block ends behind a line, if it can."""
    shown, strings = subject.rows["shown"].tolist(), subject.strings
    begins = [0]
    for row in range(1, len(shown)):
        many = row - begins[-1]
        if many < BLOCK:
            continue
        at_line = strings[shown[row]].startswith("\n") or strings[shown[row - 1]].endswith("\n")
        if at_line or many >= 4 * BLOCK:
            begins.append(row)
    return begins


def _blocks(subject: Subject, begins: list[int]) -> Iterator[str]:
    """The text, an element for each block."""
    shown, strings = subject.rows["shown"].tolist(), subject.strings
    for begin, end in zip(begins, [*begins[1:], len(shown)], strict=True):
        text = "".join(strings[i] for i in shown[begin:end])
        # The end of a block is a line break, which the token after it may begin with.
        if begin:
            text = text.removeprefix("\n")
        if end < len(shown) and strings[shown[end]].startswith("\n"):
            text += "\n"
        yield f"<div>{escape(text, quote=False)}</div>"


def _pack(rows: Rows) -> bytes:
    """The columns one after the other, deflated.

    uint32 shown [n], others [n, k]; uint16 bits [n, 3], p_model [n, k], p_heads [n, k];
    uint8 own [n]; all little-endian.
    """
    columns = [
        rows["shown"].astype("<u4"),
        rows["others"].astype("<u4"),
        (rows["bits"] * _BITS_UNIT).round().clip(0, _MOST_BITS).astype("<u2"),
        (rows["p_model"] * _PROBABILITY_UNIT).round().astype("<u2"),
        (rows["p_heads"] * _PROBABILITY_UNIT).round().astype("<u2"),
        rows["own"],
    ]
    return zlib.compress(b"".join(np.ascontiguousarray(c).tobytes() for c in columns), 9)
