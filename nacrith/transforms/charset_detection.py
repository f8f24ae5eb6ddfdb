"""Which charset a text is in: the one in which it costs least.

A text is decoded in each charset and its characters are priced by how frequent they are in
a language that is written in it, in bits: the "distribution method" of Li & Momoi (2001, A
composite approach to language/encoding detection). Only the encoder detects, so nothing
depends on the prices but the size.
"""

import math
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from nacrith.transforms.charset_letters import COMMON_ROWS, LANGUAGES, LETTERS
from nacrith.transforms.charset_table import CODECS

Bytes = npt.NDArray[np.uint8]
Prices = npt.NDArray[np.float32]

# Bits of a character or byte.
_ASCII = 5.0
_PUNCTUATION = 8.5
_OTHER = 13.0
_COMMON, _RARE = 12.5, 16.5
_INVALID = 25.0
_AS_IT_IS = 10.5
# More of a letter of another script, or of a sign, beside an ASCII letter.
_FOREIGN, _SIGN = 5.0, 3.0

# Bits of a byte from 80 on that text stays below. Texts of 256 bytes have 3.2 to 5.5 at the
# median; a narrow peak of binary values gets 6.0, random ones 7 and more.
_CONVINCING, _CONVINCING_PAIRS = 5.8, 6.0

_SIGNS_OF_TEXT = "\u00a0‘’‚“”„«»‹›–—…•·§©®™°€№"

# What is looked at, in bytes.
_SAMPLE = 1 << 16
_SLICE = 1 << 12


class Guess(NamedTuple):
    """Attributes:
    charset: its name, "" for none.
    bits: price of the sample's characters beside ASCII, on average of a byte from 80 on.
    """

    charset: str
    bits: float


NO_GUESS = Guess("", _AS_IT_IS)


def guess(text: bytes) -> Guess:
    """The charset of `CODECS` in which the text costs least, if it is not UTF-8 or ASCII."""
    sample = _sample(text)
    values = np.frombuffer(sample, dtype=np.uint8)
    n_high = int((values >= 0x80).sum())
    if not n_high or _is_rather_utf8(sample):
        return NO_GUESS
    names, prices, beside = _single_byte_prices()
    totals = prices @ np.bincount(values, minlength=256)[0x80:]
    totals += beside @ np.bincount(values[_is_beside_letter(values)], minlength=256)[0x80:]
    best = int(totals.argmin())
    found = Guess(names[best], float(totals[best]) / n_high)
    n_ascii = len(values) - n_high
    for charset in COMMON_ROWS:
        text_found = sample.decode(CODECS[charset], errors="replace")
        codes = np.frombuffer(text_found.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
        total = _prices_of_characters(charset)[np.minimum(codes, 0xFFFF)].sum() - _ASCII * n_ascii
        if total / n_high < found.bits:
            found = Guess(charset, float(total) / n_high)
    return found if found.bits < _AS_IT_IS else NO_GUESS


def is_convincing(run: bytes) -> bool:
    """Is a run of bytes surely text in a charset of `CODECS`, and no binary data?

    In text no byte makes up a third of those from 80 on; where 2 bytes make a character,
    leading bytes may.
    """
    found = guess(run)
    if found.charset in COMMON_ROWS:
        return found.bits < _CONVINCING_PAIRS
    if not found.charset or found.bits >= _CONVINCING:
        return False
    counts = np.bincount(np.frombuffer(run, dtype=np.uint8), minlength=256)[0x80:]
    return bool(3 * counts.max() < counts.sum())


def _sample(text: bytes) -> bytes:
    """All of a short text; of a long one slices that begin at bytes from 80 on."""
    if len(text) <= _SAMPLE:
        return text
    places = np.flatnonzero(np.frombuffer(text, dtype=np.uint8) >= 0x80)
    slices = []
    end = 0
    for place in places[:: max(1, len(places) * _SLICE // _SAMPLE)].tolist():
        if place >= end:
            end = place + _SLICE
            slices.append(text[place:end])
    return b"".join(slices)


def _is_rather_utf8(sample: bytes) -> bool:
    """Are there as many characters of UTF-8 beside ASCII as bytes that are none?"""
    decoded = sample.decode("utf-8", errors="replace")
    # Some texts hold the sign itself.
    invalid = decoded.count("\ufffd") - sample.count("\ufffd".encode())
    n_ascii = len(sample.translate(None, bytes(range(0x80, 0x100))))
    return 2 * invalid <= len(decoded) - n_ascii


def _is_beside_letter(values: Bytes) -> npt.NDArray[np.bool_]:
    lower = values | 0x20
    is_letter = (lower >= ord("a")) & (lower <= ord("z"))
    beside = np.zeros(len(values), dtype=bool)
    beside[1:] |= is_letter[:-1]
    beside[:-1] |= is_letter[1:]
    return beside


@cache
def _single_byte_prices() -> tuple[list[str], Prices, Prices]:
    """Names [n], prices of the bytes from 80 on [n, 128], and what is added beside letters."""
    names, prices, beside = [], [], []
    for charset, languages in LANGUAGES.items():
        if charset in COMMON_ROWS:
            continue
        chars = [bytes([b]).decode(CODECS[charset], "replace") for b in range(0x80, 0x100)]
        for language in languages:
            known = _prices_of_letters(language)
            names.append(charset)
            prices.append([known.get(char, _OTHER) for char in chars])
            beside.append([_more_beside_letter(char) for char in chars])
    return names, np.array(prices, dtype=np.float32), np.array(beside, dtype=np.float32)


def _prices_of_letters(language: str) -> dict[str, float]:
    """By Zipf's law."""
    letters = LETTERS[language]
    scale = math.log2(math.log((len(letters) + 2) / 2)) + 0.3
    prices = dict.fromkeys(_SIGNS_OF_TEXT, _PUNCTUATION)
    prices |= dict.fromkeys(["\ufffd", *map(chr, range(0x80, 0xA0))], _INVALID)
    return prices | {c: math.log2(rank + 2) + scale for rank, c in enumerate(letters)}


def _more_beside_letter(char: str) -> float:
    if char.isalpha():
        # Latin letters end with U+024F.
        return _FOREIGN if char > "\u024f" else 0.0
    return 0.0 if char in _SIGNS_OF_TEXT else _SIGN


@cache
def _prices_of_characters(charset: str) -> Prices:
    """[65536] by code point."""
    prices = np.full(0x10000, _RARE, dtype=np.float32)
    codec, first, last = COMMON_ROWS[charset]
    for lead in range(first, last + 1):
        for trail in range(0x40, 0xFF):
            char = bytes([lead, trail]).decode(codec, "ignore")
            if len(char) == 1:
                prices[ord(char)] = _COMMON
    for block in (range(0x2000, 0x2700), range(0x3000, 0x3100), range(0xFF00, 0xFFF0)):
        prices[block] = _OTHER
    prices[:0x80] = _ASCII
    for char, price in _prices_of_letters(LANGUAGES[charset][0]).items():
        prices[ord(char)] = price
    return prices
