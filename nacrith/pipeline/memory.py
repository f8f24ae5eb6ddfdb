"""About how much memory a run takes: an estimate from what is allocated, checked against runs.

Resident memory at its peak, of large files in which all tables fill; of short texts it is less.
`nacrith bench memory` measures it.
"""

from dataclasses import dataclass

from nacrith.codec.cutting import HEAD
from nacrith.codec.drafts import bytes_of_tables
from nacrith.codec.guesser import MAX_STREAMS
from nacrith.codec.text_mixing import INSTEAD_OF_MODEL
from nacrith.models.model_size import ModelSize
from predictors.heads.neighbors import OWN_STATES
from predictors.mixing.decision import line_bits

MIB = 1 << 20

PROCESS = 115 * MIB
"""Python, NumPy, the modules and the kernels."""

_WITH_MODEL = 65 * MIB
"""Kernels of the model, the vocabulary, its trie and tokenizer, mixers, maps, the match model."""

_LINE = 32
"""Bytes of a line of contexts behind the model; their number: `predictors.mixing.decision`."""

_OWN_STATE = 52
"""Bytes of a past state that a stream keeps for itself; see `predictors.heads.neighbors`."""

_ROWS = 64
"""Rows of tokens that are evaluated at once, at least."""

_PROMPT = 192
"""Positions that a prompt takes, at most."""

_ROWS_MOVED = 16
"""Of the output head, rows that a token moves for the first time, at most on average."""

_TEXT = 140 * MIB
"""Context mixing of text: mixers and maps."""

_TEXT_SLOTS = 64 * MIB
_TEXT_OF_BYTE = 24 * 16
"""Slots of text: at most so many bytes of them, and for a byte of text; see `text_model`."""

_LONG_PRIMER = {3: 112 << 10}
"""By variant: bytes read before the text. What they have taught is kept for short texts."""

_SHORT = 8
"""Texts are short below so many times the length of the primer."""

_BINARY = 70 * MIB
_BINARY_SLOTS = 160 * MIB
_BINARY_OF_BYTE = 74 * 80
"""The same of binary data; see `predictors.binary.slots`."""

_PICTURES = 75 * MIB
"""Tables and kernels of the model of JPEG pictures."""

_COEFFICIENT = 2
_MOST_COEFFICIENTS = 1 << 25
"""Of a picture; bytes of one."""

_STATE, _BLOCK = 11, 64
"""Bytes that the model keeps of a block of the present picture, and coefficients of one."""

_COEFFICIENTS_OF_BYTE = 64
"""That a byte of usual pictures codes, at most; empty ones have more."""

_LZMA = 12
"""Its encoder takes so many times the data, of which the dictionary is as long."""

_COPIES = 6
"""A block, and what it is made of and into, are there so many times at most."""


@dataclass(frozen=True)
class TextShape:
    """What decides how much memory text takes with the model.

    Attributes:
        streams: of a frame.
        window: in tokens.
        tokens: of a frame, at most.
        unlike: may the streams be unlike?
    """

    streams: int
    window: int
    tokens: int
    unlike: bool = False


def with_model(size: ModelSize, shape: TextShape, block: int) -> int:
    """Bytes of a process that codes a frame of `block` bytes by the model."""
    streams = shape.streams
    fed = shape.tokens // streams + HEAD + _PROMPT
    positions = min(shape.window, fed)
    symbols = shape.tokens
    rows = max(streams, _ROWS)
    unlike = streams > 1 and shape.unlike
    own = min(symbols, streams * OWN_STATES) * _OWN_STATE if unlike else 0
    return (
        PROCESS
        + _WITH_MODEL
        + size.weights
        + streams * positions * size.position
        + rows * size.row
        + min(size.head, _ROWS_MOVED * symbols * size.head_row)
        + (_LINE << line_bits(symbols, unlike))
        + own
        + (bytes_of_tables(streams * fed) if streams <= MAX_STREAMS else 0)
        + _COPIES * block
    )


def without_model(block: int, variant: int = INSTEAD_OF_MODEL) -> int:
    """Bytes of a process that codes a block by context mixing of any kind.

    Args:
        variant: of that of text.
    """
    return max(to_unmix(block, block, variant), PROCESS + (_LZMA + _COPIES) * block)


def to_unmix(mixed: int, block: int, variant: int = INSTEAD_OF_MODEL) -> int:
    """Bytes of a process that restores a block of which so many bytes are context-mixed."""
    if not mixed:
        return PROCESS + _COPIES * block
    primer = _LONG_PRIMER.get(variant, 0)
    kept = primer if mixed < _SHORT * primer else 0
    text = _TEXT + _slots_of_text(mixed + primer) + _slots_of_text(kept)
    binary = _BINARY + min(_BINARY_SLOTS, mixed * _BINARY_OF_BYTE)
    return PROCESS + max(text, binary) + _COPIES * block


def _slots_of_text(n_bytes: int) -> int:
    return min(_TEXT_SLOTS, n_bytes * _TEXT_OF_BYTE)


def of_pictures(coefficients: int) -> int:
    """Bytes more for JPEG pictures of a block that is compressed, by all their coefficients."""
    if not coefficients:
        return 0
    state = _STATE * (min(coefficients, _MOST_COEFFICIENTS) // _BLOCK)
    return _PICTURES + _COEFFICIENT * coefficients + state


def to_restore_pictures(packed: int) -> int:
    """Bytes more for JPEG pictures that have so many bytes in a file, of which one is there at a
    time."""
    if not packed:
        return 0
    return of_pictures(min(packed * _COEFFICIENTS_OF_BYTE, _MOST_COEFFICIENTS))


def of_block(size: ModelSize, shape: TextShape, block: int) -> int:
    """Bytes of a process that compresses a block of any content by a level with the model.

    While the model is weighed against context mixing, it has read nothing yet.
    """
    loaded = _WITH_MODEL + size.weights + _ROWS * size.row
    return max(with_model(size, shape, block), without_model(block) + loaded)


def together(n: int, need: int, shared: int) -> int:
    """Bytes of n processes, and the one that leads them if there are several; pages that they
    share count once."""
    return need if n == 1 else PROCESS + n * (need - shared) + shared
