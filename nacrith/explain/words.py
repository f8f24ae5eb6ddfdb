"""The words that cost the most."""

import re
from dataclasses import dataclass

import numpy as np

from nacrith.explain.rows import BINARY, CODED, Rows

MOST = 10

_WORD = re.compile(r"[^\W\d_]+(?:['’‑-][^\W\d_]+)*")
_PART = re.compile(r"⟨[0-9A-F]{2}(?: [0-9A-F]{2})*⟩")
"""A part of a character, as `Strings.texts` shows it: its digits spell no word."""

_CONTEXT = 40
"""Characters on either side."""


@dataclass(frozen=True)
class Word:
    """A word where it stands.

    Attributes:
        row: of its first token.
        bits: what the tokens that it is spelled with cost, as coded.
        before, text, after: it, and what is around it in the text.
    """

    row: int
    bits: float
    before: str
    text: str
    after: str


def surprising_words(strings: list[str], rows: Rows) -> list[Word]:
    """The dearest words first, at most `MOST`, each word once.

    A token belongs to the word that most of it spells, with the blanks and marks around it; all
    tokens of a word count.
    """
    shown = [strings[i] for i in rows["shown"].tolist()]
    text = "".join(shown)
    ends = np.cumsum([len(s) for s in shown])
    begins = ends - [len(s) for s in shown]
    bits = np.where(rows["own"] == BINARY, 0.0, rows["bits"][:, CODED])
    spelled = "".join(" " * len(s) if _PART.fullmatch(s) else s for s in shown)
    found = list(_WORD.finditer(spelled))
    if not found:
        return []
    words = np.array([m.span() for m in found])
    cost = np.zeros(len(found))
    # A token whose middle is in a word, or that ends within one, is a part of it.
    first = np.searchsorted(ends, words[:, 0], side="right")
    last = np.searchsorted(begins, words[:, 1], side="left")
    taken = np.full(len(rows), -1)
    for i, (begin, end) in enumerate(zip(first.tolist(), last.tolist(), strict=True)):
        for row in range(begin, end):
            share = min(ends[row], words[i, 1]) - max(begins[row], words[i, 0])
            other = taken[row]
            if other >= 0:
                had = min(ends[row], words[other, 1]) - max(begins[row], words[other, 0])
                if had >= share:
                    continue
            taken[row] = i
    owned = taken >= 0
    np.add.at(cost, taken[owned], bits[owned])
    chosen: dict[str, int] = {}
    for i in np.argsort(-cost, kind="stable").tolist():
        if len(chosen) == MOST or cost[i] <= 0:
            break
        chosen.setdefault(found[i].group().casefold(), i)
    return [_word(text, words[i], int(first[i]), float(cost[i])) for i in chosen.values()]


def _word(text: str, span: np.ndarray, row: int, bits: float) -> Word:
    begin, end = span.tolist()
    before = _one_line(text[max(0, begin - _CONTEXT) : begin])
    after = _one_line(text[end : end + _CONTEXT])
    # Whole words of what is around.
    if begin > _CONTEXT:
        before = before.partition(" ")[2]
    if end + _CONTEXT < len(text):
        after = after.rpartition(" ")[0]
    return Word(row, bits, before, text[begin:end], after)


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text)
