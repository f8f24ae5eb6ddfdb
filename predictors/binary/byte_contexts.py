"""The contexts in which the bits of binary data are counted, if it is no picture or sound.

Plain ones, the last bytes; sparse ones, some of them; those of records (tables, bitmaps, lists),
where the byte *above* is the one at the same place of the record before, with what follows from
going on as before (W + N - NW and the like); those of words of four bytes, for machine code and
lists of numbers; those of a chain of records of any lengths (`record_chain`); what followed before
("indirect"), and how long ago. All as in the PAQ series (Mahoney 2005 and later).
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import inlined, njit
from predictors.binary import engine, record_chain, string_offsets
from predictors.binary.engine import Tables
from predictors.binary.near_bytes import Near
from predictors.binary.record_chain import ABOVE, COLUMN, HEADS, IN_STEP, PLACE, SAME, TYPE
from predictors.binary.string_offsets import Strings
from predictors.mixing import match_model
from predictors.mixing.hashing import bucket, combine

Bytes = npt.NDArray[np.uint8]

KINDS = 74
SELECTORS = 11
NEAR_BYTES = 9
"""Bytes that the one coded may be near to, see `near_bytes`."""

# Places in `Tables.numbers` beside those of `record_chain`: lengths of records, in the whole data
# and just now; hashes of the word that goes on and the one before; and, for the selectors, the
# column, the bytes above of both records, and the place in the word of four bytes.
RECORD, NEAR_RECORD, WORD, WORD_BEFORE, _COLUMN, _UP, _NEAR_UP, _IN_WORD, SHAPES = range(
    record_chain.NUMBERS, record_chain.NUMBERS + 9
)

# Places in `Tables.memory`: the last three bytes that followed each byte, and each pair of bytes;
# where each byte and each pair ended last; and what `record_chain` keeps.
_AFTER_1 = 0
_AFTER_2 = _AFTER_1 + (1 << 8)
_LAST_2 = _AFTER_2 + (1 << 16)
_CHAIN = _LAST_2 + (1 << 16)
MEMORY = _CHAIN + record_chain.MEMORY


@inlined
def _b(data: Bytes, i: int) -> Any:
    return np.int64(data[i])


@inlined
def _big(data: Bytes, i: int) -> Any:
    """Four bytes as a number, the most significant first."""
    return _b(data, i) << 24 | _b(data, i + 1) << 16 | _b(data, i + 2) << 8 | _b(data, i + 3)


@inlined
def _little(data: Bytes, i: int) -> Any:
    """Four bytes as a number, the least significant first."""
    return _b(data, i + 3) << 24 | _b(data, i + 2) << 16 | _b(data, i + 1) << 8 | _b(data, i)


@njit(cache=True, counted=False)
def append(t: Tables, strings: Strings, data: Bytes, end: int) -> None:
    """Take note of the byte before place end."""
    m = t.memory
    n = t.numbers
    c1, c2, c3 = _b(data, end - 1), _b(data, end - 2), _b(data, end - 3)
    m[_AFTER_1 + c2] = (m[_AFTER_1 + c2] << 8 | c1) & 0xFFFFFF
    at = _AFTER_2 + (c3 << 8 | c2)
    m[at] = (m[at] << 8 | c1) & 0xFFFFFF
    m[_LAST_2 + (c2 << 8 | c1)] = end
    letter = c1 | 32
    if 97 <= letter <= 122 or c1 == 95:
        n[WORD] = combine(n[WORD], letter + 1)
    elif n[WORD] != 0:
        n[WORD_BEFORE] = n[WORD]
        n[WORD] = 0
    shape = c1
    if 97 <= letter <= 122 or c1 >= 128:
        shape = np.int64(97) if c1 >= 97 else np.int64(65)
    elif 48 <= c1 <= 57:
        shape = np.int64(48)
    n[SHAPES] = n[SHAPES] << 8 | shape
    if end & 3 == 0:
        string_offsets.follow(strings, data, end, n[RECORD], n[NEAR_RECORD])
    record_chain.append(n, m, _CHAIN, data, end)


@inlined
def _gap(g: int) -> Any:
    """A distance, exact below 64, then in steps of a fourth."""
    if g < 64:
        return g
    k = np.int64(64)
    while g >= 128:
        g >>= 1
        k += 16
    return k + (g >> 2)


@inlined
def _step(difference: int) -> Any:
    """A difference, 0 to 4, those beyond ±2 as these."""
    return min(max(difference, np.int64(-2)), np.int64(2)) + 2


@njit(cache=True, counted=False)
def hash_contexts(t: Tables, near_to: Near, strings: Strings, data: Bytes, i: int) -> None:
    """Write the hashes of the contexts of the byte at place i, and what it may be near to."""
    n = t.numbers
    m = t.memory
    x = t.hashes
    r = n[RECORD]
    near = n[NEAR_RECORD]
    b1, b2, b3, b4 = _b(data, i - 1), _b(data, i - 2), _b(data, i - 3), _b(data, i - 4)
    b5, b6, b7, b8 = _b(data, i - 5), _b(data, i - 6), _b(data, i - 7), _b(data, i - 8)
    w2 = b1 | b2 << 8
    w3 = w2 | b3 << 16
    w4 = w3 | b4 << 24
    k = 0
    x[k] = 0
    k += 1
    x[k] = b1
    k += 1
    x[k] = w2
    k += 1
    x[k] = w3
    k += 1
    x[k] = w4
    k += 1
    h = combine(w4, b5)
    x[k] = h
    k += 1
    h = combine(h, b6)
    x[k] = h
    k += 1
    x[k] = combine(combine(h, b7), b8)
    k += 1
    # Some of the last bytes.
    x[k] = b2
    k += 1
    x[k] = b3
    k += 1
    x[k] = b4
    k += 1
    x[k] = b2 | b3 << 8
    k += 1
    x[k] = b1 | b3 << 8
    k += 1
    x[k] = b1 | b4 << 8
    k += 1
    x[k] = b3 | b4 << 8
    k += 1
    x[k] = b4 | b8 << 8
    k += 1
    x[k] = b2 | b3 << 8 | b4 << 16
    k += 1
    x[k] = w4 & 0xF0F0F0F0
    k += 1
    upper = np.int64(0)
    for j in range(1, 7):
        upper = upper << 3 | _b(data, i - j) >> 5
    x[k] = upper
    k += 1
    # Records: of the whole data, then of the bytes just before.
    c = i % r
    u, u2, u3 = _b(data, i - r), _b(data, i - 2 * r), _b(data, i - 3 * r)
    left, right = _b(data, i - r - 1), _b(data, i - r + 1)
    x[k] = u | c << 8
    k += 1
    x[k] = u | b1 << 8
    k += 1
    x[k] = u | u2 << 8 | c << 16
    k += 1
    x[k] = c | b1 << 16
    k += 1
    x[k] = c | w2 << 16
    k += 1
    x[k] = u | right << 8 | left << 16 | b1 << 24
    k += 1
    x[k] = u | u2 << 8 | b1 << 16
    k += 1
    x[k] = u | u2 << 8 | u3 << 16
    k += 1
    x[k] = u | w2 << 8
    k += 1
    x[k] = ((b1 + u - left) & 255) | c << 8
    k += 1
    x[k] = ((2 * u - u2) & 255) | c << 8
    k += 1
    x[k] = ((u + u2 - u3) & 255) | u << 8
    k += 1
    x[k] = ((b1 + u - left) & 255) | u << 8 | b1 << 16
    k += 1
    v, v2 = _b(data, i - near), _b(data, i - 2 * near)
    vl = _b(data, i - near - 1)
    x[k] = v | near << 8
    k += 1
    x[k] = v | b1 << 8 | near << 16
    k += 1
    x[k] = v | v2 << 8 | near << 16
    k += 1
    x[k] = v | w2 << 8
    k += 1
    x[k] = ((b1 + v - vl) & 255) | v << 8 | b1 << 16
    k += 1
    x[k] = (i % near) | near << 16 | b1 << 32
    k += 1
    # How long ago, and what followed.
    x[k] = b1 | _gap(i - m[_LAST_2 + w2]) << 8
    k += 1
    a1, a2 = m[_AFTER_1 + b1], m[_AFTER_2 + (b2 << 8 | b1)]
    x[k] = a1 & 0xFFFF
    k += 1
    x[k] = a1 << 8 | b1
    k += 1
    x[k] = a2
    k += 1
    x[k] = a2 << 8 | b1
    k += 1
    # Words of four bytes.
    a = i & 3
    part_big = np.int64(0)
    part_little = np.int64(0)
    for j in range(a):
        part_big = part_big << 8 | _b(data, i - a + j)
        part_little = part_little << 8 | _b(data, i - 1 - j)
    part = part_big
    top1, top2, top3 = _b(data, i - a - 4), _b(data, i - a - 8), _b(data, i - a - 12)
    x[k] = combine(part, a | top1 << 8)
    k += 1
    x[k] = combine(part, a | top1 << 8 | top2 << 16)
    k += 1
    x[k] = combine(part, a | (top1 & 0xC1) << 8 | (top2 & 0xC1) << 16 | (top3 & 0xC1) << 24)
    k += 1
    x[k] = combine(a, b4 | b8 << 8 | _b(data, i - 12) << 16)
    k += 1
    x[k] = combine(combine(part, a), b4)
    k += 1
    i1 = _big(data, i - a - 4)
    i2 = _big(data, i - a - 8)
    i3 = _big(data, i - a - 12)
    word = combine(part, a)
    x[k] = combine(word, i1)
    k += 1
    # Operations of SPARC, then of MIPS and PowerPC, of ARM; a word without its last bits.
    o1, o2, o3 = i1 & 0xC1F80000, i2 & 0xC1F80000, i3 & 0xC1F80000
    x[k] = combine(word, combine(o1, o2))
    k += 1
    x[k] = combine(word, combine(i1 & 0xFFFFE000, 5))
    k += 1
    x[k] = combine(word, combine(i1 & 0xFC000000 | i2 >> 8 & 0xFC0000, i3 & 0xFC000000))
    k += 1
    arm = (i1 & 0xF0) | (i2 & 0xF0) << 4 | (i3 & 0xF0) << 12 | (i1 >> 8 & 0xFF) << 24
    x[k] = combine(word, arm)
    k += 1
    x[k] = combine(word, combine(o1, combine(o2, o3)))
    k += 1
    # Words that go on as those above did, of which all bytes must be known.
    wide = max(near, 4)
    p1 = 2 * _big(data, i - a - wide) - _big(data, i - a - 2 * wide)
    expected = (p1 & 0xFFFFFFFF) >> (32 - 8 * a)
    diff = part_big - expected
    x[k] = combine((p1 >> (24 - 8 * a)) & 255, min(max(diff, -2), 2) | a << 4)
    k += 1
    p2 = 2 * _little(data, i - a - wide) - _little(data, i - a - 2 * wide)
    agrees = part_little == p2 & ((1 << 8 * a) - 1)
    x[k] = combine((p2 >> (8 * a)) & 255, np.int64(agrees) | a << 4)
    k += 1
    x[k] = combine(n[WORD], b1)
    k += 1
    x[k] = combine(n[WORD], n[WORD_BEFORE])
    k += 1
    # The chain of records.
    if n[IN_STEP]:
        p = n[PLACE]
        base = n[TYPE] << 16 | min(p, 255) << 8
        s = _b(data, n[SAME] + p) if n[SAME] > 0 else np.int64(256)
        up = n[ABOVE] + p
        y = _b(data, up) if 0 < up < i and n[ABOVE] > 0 else np.int64(256)
        head = n[HEADS]
        x[k] = combine(base, head if p < 4 else b1)
        k += 1
        x[k] = combine(base, combine(head, n[HEADS + 1]) if p < 4 else s)
        k += 1
        heads = combine(combine(head, n[HEADS + 1]), n[HEADS + 2])
        x[k] = combine(base, heads if p < 4 else s | b1 << 9)
        k += 1
        x[k] = combine(base, y << 8 | 1)
        k += 1
        x[k] = combine(base, y << 8 | b1 << 20 | 2)
        k += 1
        x[k] = combine(base, y << 8 | s << 20 | 3)
        k += 1
        col = n[COLUMN] if p < 8 else n[COLUMN] | 1 << 20
        x[k] = combine(base, col)
        k += 1
        x[k] = combine(base, combine(col, b1 | b2 << 8))
        k += 1
        x[k] = combine(base, combine(w2, y))
        k += 1
        x[k] = combine(base, s | w2 << 9)
        k += 1
        x[k] = combine(base, combine(w3, head))
        k += 1
    else:
        for j in range(11):
            x[k] = combine(j, b1)
            k += 1
    e = t.match[engine.LENGTH]
    x[k] = combine(_b(data, t.match[engine.POINTER]) if e > 0 else np.int64(256), min(e, 15))
    k += 1
    x[k] = combine(word, i1 & 0xFFF80000)
    k += 1
    x[k] = combine(word, combine(i2, 7))
    k += 1
    x[k] = combine(n[SHAPES] & 0xFFFFFFFF, b1)
    k += 1
    x[k] = combine(n[SHAPES], b1 | n[WORD] << 8)
    k += 1
    for j in range(k):
        x[j] = combine(x[j], j)
    # Bytes that this one may be near to.
    e = near_to.near_to
    z = near_to.contexts
    place = c | _step(b1 - left) << 16
    e[0] = u
    z[0] = place
    e[1] = (2 * u - u2) & 255
    z[1] = place
    near_place = i % near | _step(b1 - vl) << 10
    e[2] = v
    z[2] = near_place | near << 13
    e[3] = v
    z[3] = near_place | (v - v2 & 255) << 13
    for j in range(4, 8):
        distance = 4 * (j - 3)
        e[j] = _b(data, i - distance)
        z[j] = i % distance | _step(b1 - _b(data, i - distance - 1)) << 8
    string_offsets.expect(strings, data, i, r, near)
    e[8] = strings.expected[string_offsets.BYTE] & 255
    z[8] = strings.expected[string_offsets.HITS] << 2 | a
    # For the selectors.
    n[_COLUMN] = c
    n[_UP] = u
    n[_NEAR_UP] = v
    n[_IN_WORD] = a
    t.map_contexts[0] = b1
    t.map_contexts[1] = combine(u, c)
    t.map_contexts[2] = combine(w2, 0)


@inlined
def select(
    t: Tables,
    strings: Strings,
    data: Bytes,
    i: int,
    partial: int,
    shift: int,
    expected: int,
    known: int,
) -> None:
    """Write which weight sets of both layers are selected for bit `shift` of the byte at i.

    Args:
        partial: the known bits behind a leading 1.
        expected: the match's bit, -1 = none.
        known: number of contexts that know the decision.
    """
    n = t.numbers
    s = t.layer_1.selected
    b1 = _b(data, i - 1)
    u = n[_UP]
    length = t.match[engine.LENGTH]
    lg = min(length, 15) if length < 16 else 15 + min((length - 16) >> 3, 3)
    matched = lg * 3 + 1 + expected
    s[0] = matched
    s[1] = partial
    s[2] = (1 << (7 - shift)) | u >> (shift + 1) | ((u >> shift) & 1) << 8
    v = n[_NEAR_UP]
    s[3] = (1 << (7 - shift)) | v >> (shift + 1) | ((v >> shift) & 1) << 8
    s[4] = min(n[_COLUMN], 127) * 8 + shift
    s[5] = min(known, 63) * 8 + shift
    s[6] = (b1 >> 1) * 8 + shift
    s[7] = bucket(b1, partial, engine.SETS)
    if n[IN_STEP]:
        s[8] = engine.SETS // 2 + bucket(n[TYPE], min(n[PLACE], 63) * 8 + shift, engine.SETS // 2)
    else:
        hits, bit = string_offsets.expected_bit(strings, partial)
        s[8] = match_model.selector(hits, bit) * 8 + shift
    s[9] = n[_IN_WORD] * 256 + partial
    classes = np.int64(0)
    for j in range(3):
        shape = n[SHAPES] >> (8 * j) & 255
        classes = classes << 2 | (0 if shape < 32 else 1 if shape == 48 else 2 if shape < 65 else 3)
    s[10] = classes * 8 + shift
    s2 = t.layer_2.selected
    s2[0] = partial
    s2[1] = matched * 8 + shift
    s2[2] = s[4]
