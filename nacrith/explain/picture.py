"""A picture of a file's sizes for sharing: it holds none of the text."""

from html import escape

from nacrith.explain.totals import Totals

WIDTH, HEIGHT = 1200, 630
"""Pixels, as previews of links want them (ogp.me)."""

_LEFT, _BAR_LEFT, _BAR_WIDTH = 60, 260, 560
_TOP, _PITCH, _BAR_HEIGHT = 190, 90, 56
_LONGEST_NAME = 44


def picture(name: str, totals: Totals) -> str:
    """An SVG of the sizes of the original, of gzip's, xz's and of this program's."""
    t = totals
    bars = [
        ("original", 8 * t.original),
        ("gzip -9", t.gzip),
        ("xz -9e", t.xz),
        ("nacrith", t.file),
    ]
    longest = max(bits for _, bits in bars)
    if len(name) > _LONGEST_NAME:
        name = name[: _LONGEST_NAME - 1] + "…"
    drawn = []
    for i, (program, bits) in enumerate(bars):
        top, width = _TOP + i * _PITCH, _BAR_WIDTH * bits / longest
        ours = program == "nacrith"
        middle = top + _BAR_HEIGHT * 0.68
        drawn.append(
            _text(_LEFT, middle, 34, program, "#222", bold=ours)
            + f'<rect x="{_BAR_LEFT}" y="{top}" width="{width:.1f}" height="{_BAR_HEIGHT}" rx="4" '
            f'fill="{"#d55e00" if ours else "#8fb8d9"}"/>'
            + _text(
                _BAR_LEFT + width + 16, middle, 30,
                f"{bits // 8:,} ({100 * bits / 8 / t.original:.1f} %)", "#222", bold=ours,
            )
        )  # fmt: skip
    bpb = f"{t.file / t.original:.3f} bits per byte with nacrith; its language model is not counted"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}"><rect width="100%" height="100%" fill="#fff"/>'
        + _text(_LEFT, 110, 48, name, "#222", bold=True)
        + _text(_LEFT, 155, 26, "bytes, compressed without loss", "#555")
        + "".join(drawn)
        + _text(_LEFT, 590, 26, bpb, "#555")
        + "</svg>"
    )


def _text(x: float, y: float, size: int, text: str, colour: str, bold: bool = False) -> str:
    weight = ' font-weight="700"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}"{weight} '
        f'font-family="system-ui, DejaVu Sans, sans-serif">{escape(text)}</text>'
    )
