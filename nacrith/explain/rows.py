"""The rows of the page: the tokens of a file, in its own bytes, and the binary data between."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import njit
from nacrith.codec.token_log import N_BEST, TokenLog
from nacrith.format.frame import Frame, Kind
from nacrith.transforms.charset import from_utf8, to_utf8
from nacrith.transforms.line_ends import without_cr

# In the column `own`: the token is none of `others`; not a token at all.
NONE, BINARY = 254, 255

MODEL, HEADS, CODED = range(3)
"""Columns of `bits`: the language model alone, after the heads, as coded."""

SHOWN = np.dtype(
    [
        ("shown", np.uint32),
        ("others", np.uint32, N_BEST + 1),
        ("bits", np.float64, 3),
        ("p_model", np.float32, N_BEST + 1),
        ("p_heads", np.float32, N_BEST + 1),
        ("own", np.uint8),
        ("size", np.int64),
    ]
)
"""A token or a run of binary data, as the page shows it.

shown, others: numbers of strings.
own: which of `others` the token is, or `NONE`, or `BINARY`.
size: bytes of the original.
The rest as in `token_log.ROW`.
"""

Rows = npt.NDArray[Any]
Bytes = npt.NDArray[np.uint8]


class Strings:
    """Spellings by number."""

    def __init__(self) -> None:
        self._numbers: dict[bytes, int] = {}

    def number(self, spelling: bytes) -> int:
        return self._numbers.setdefault(spelling, len(self._numbers))

    def texts(self) -> list[str]:
        """For people; a part of a character as hexadecimal bytes."""
        found = []
        for spelling in self._numbers:
            try:
                found.append(spelling.decode("utf-8"))
            except UnicodeDecodeError:
                found.append(f"⟨{spelling.hex(' ').upper()}⟩")
        return found


def frame_rows(
    frame: Frame, original: bytes, logs: Iterator[TokenLog], strings: Strings
) -> tuple[Rows, TokenLog | None]:
    """[n] `SHOWN` of a frame, and its log, if it has text, which is taken from `logs`."""
    text = bytearray()
    notes = []
    position = 0
    for kind, length in frame.segments:
        if kind == Kind.TEXT:
            text += original[position : position + length]
        else:
            bits = 8 * len(frame.payloads[kind]) * length / frame.size_of(kind)
            notes.append((len(text), length, bits))
        position += length
    rows, log = np.zeros(0, SHOWN), None
    if text:
        # A text that was smaller as binary data has left a record too.
        log = next(g for g in logs if len(g) == frame.n_symbols)
        # Its charset was detected by who made the file, perhaps otherwise than here.
        transcoded = to_utf8(bytes(text), log.charset)
        rows = _token_rows(transcoded, log, strings)
        if log.charset:
            places = _places_before(transcoded, log.charset)
            rows["size"] = np.diff(places[np.cumsum(rows["size"])], prepend=0)
    before, inserted = [], np.zeros(len(notes), SHOWN)
    ends = np.cumsum(rows["size"])
    for row, (place, length, bits) in zip(inserted, notes, strict=True):
        before.append(int(np.searchsorted(ends, place)))
        row["shown"] = strings.number(f"[{length} bytes of binary data]".encode())
        row["bits"] = bits
        row["own"] = BINARY
        row["size"] = length
    return np.insert(rows, before, inserted), log


def _places_before(transcoded: bytes, charset: int) -> npt.NDArray[np.int64]:
    """[n + 1] for each place in the text's UTF-8, the place in the text as it was."""
    sizes = np.zeros(len(transcoded) + 1, dtype=np.int64)
    end = 0
    for char in transcoded.decode("utf-8"):
        spelled = char.encode("utf-8")
        end += len(spelled)
        sizes[end] = len(from_utf8(spelled, charset))
    places: npt.NDArray[np.int64] = np.cumsum(sizes)
    return places


@njit(cache=True)
def _align(read: Bytes, original: Bytes, ends: npt.NDArray[np.int64]) -> None:
    """Write where in the original each byte ends that the model has read."""
    j = 0
    for i in range(len(read)):
        if read[i] == 32 and (original[j] == 13 or original[j] == 10):
            # A line break that was coded apart, with its indentation.
            while original[j] == 13 or original[j] == 10 or original[j] == 9 or original[j] == 32:
                j += 1
        else:
            j += 2 if read[i] == 10 and original[j] == 13 else 1
        ends[i] = j


def _token_rows(text: bytes, log: TokenLog, strings: Strings) -> Rows:
    """[n] `SHOWN` of the tokens that spell `text`, with its own line breaks."""
    found = log.rows()
    vocabulary = log.vocabulary
    read = vocabulary.decode(found["symbol"])
    aligned = np.zeros(len(read) + 1, dtype=np.int64)
    _align(*(np.frombuffer(t, dtype=np.uint8) for t in (read, text)), aligned[1:])
    ends = aligned[np.cumsum(vocabulary.lengths[found["symbol"]])]
    begins = np.concatenate([[0], ends[:-1]])
    rows = np.zeros(len(found), SHOWN)
    spans = zip(begins.tolist(), ends.tolist(), strict=True)
    rows["shown"] = [strings.number(without_cr(text[begin:end])) for begin, end in spans]
    rows["size"] = ends - begins
    symbols, places = np.unique(found["others"], return_inverse=True)
    numbers = np.array([strings.number(vocabulary.spellings[i]) for i in symbols])
    rows["others"] = numbers[places].reshape(rows["others"].shape)
    matches = found["others"] == found["symbol"][:, None]
    rows["own"] = np.where(matches.any(axis=1), matches.argmax(axis=1), NONE)
    for name in ("bits", "p_model", "p_heads"):
        rows[name] = found[name]
    return rows
