"""One HTML page that shows what each token of a text costs, and why.

The page needs no network. Its data is packed: columns of integers, deflated, in
base64; the script makes elements only of what is on the screen.
"""

import base64
import io
import json
import zlib
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from coder.kernels import njit
from nacrith.codec.token_log import N_BEST, Observer, TokenLog, observed_by
from nacrith.errors import NacrithError
from nacrith.format.container import MAGIC, MemberReader
from nacrith.format.frame import Frame, Kind
from nacrith.pipeline.compress import compress_stream
from nacrith.pipeline.decompress import decompress_stream
from nacrith.pipeline.options import CompressOptions
from nacrith.plural import counted
from nacrith.system.progress import NO_PROGRESS, Progress
from nacrith.transforms.charset import from_utf8, to_utf8
from nacrith.transforms.line_ends import without_cr
from nacrith.transforms.opening.limits import NOTHING

MAX_SIZE = 1 << 24
"""More of the original makes a page that browsers can't show."""

POINTS = 800
"""Of the curve, at most."""
POINT_BYTES = 24
"""What a point stands for, at least."""

_BITS_UNIT = 256
_MOST_BITS = (1 << 16) - 1
_PROBABILITY_UNIT = (1 << 16) - 1

# In the column `own`: the token is none of `others`; not a token at all.
_NONE, _BINARY = 254, 255

_SHOWN = np.dtype(
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
own: which of `others` the token is, or `_NONE`, or `_BINARY`.
size: bytes of the original.
The rest as in `token_log.ROW`.
"""

Rows = npt.NDArray[Any]
Bytes = npt.NDArray[np.uint8]


def explain(
    source: BinaryIO,
    name: str,
    options: CompressOptions,
    progress: Progress = NO_PROGRESS,
) -> str:
    """Compress a text, or decompress a NC06 file, and return the page about it.

    A text is shown as the model reads it, also where `compress` would do without the model.

    Args:
        source: a text, or a NC06 file.
        name: the title.
        options: for compressing; of a NC06 file only its `model`, `dictionary` and
            `correction` count.

    Raises:
        NacrithError: too large, without text, or as the pipeline.
    """
    given = source.read(MAX_SIZE + 1)
    observer = Observer()
    work = _decompressed if given[: len(MAGIC)] == MAGIC else _compressed
    with observed_by(observer):
        original, packed = work(given, options, progress)
    strings = _Strings()
    logs = iter(observer.logs)
    rows, sizes, begin = [], np.zeros(2, dtype=np.int64), 0
    for frame in _frames(packed):
        end = begin + frame.original_size
        rows.append(_frame_rows(frame, original[begin:end], logs, strings))
        text_payload = len(frame.payloads.get(Kind.TEXT, b""))
        sizes += text_payload, sum(map(len, frame.payloads.values())) - text_payload
        begin = end
    table = np.concatenate([np.zeros(0, _SHOWN), *rows])
    if not (table["own"] != _BINARY).any():
        raise NacrithError("there is nothing to explain: the file holds no text for the model")
    totals = _totals(table, len(packed), *sizes.tolist())
    return _page(name, strings.texts(), table, totals)


def _compressed(
    original: bytes, options: CompressOptions, progress: Progress
) -> tuple[bytes, bytes]:
    """(original, packed), where the model codes all text."""
    _refuse_large(len(original))
    options = replace(options, preset=replace(options.preset, least_saving=None), inside=NOTHING)
    packed = io.BytesIO()
    compress_stream(io.BytesIO(original), packed, options, len(original), progress)
    return original, packed.getvalue()


def _decompressed(
    packed: bytes, options: CompressOptions, progress: Progress
) -> tuple[bytes, bytes]:
    """(original, packed)."""
    _refuse_large(sum(frame.original_size for frame in _frames(packed)))
    if any(frame.opened for frame in _frames(packed)):
        raise NacrithError(
            "the text of this file is in compressed streams, such as the parts of an archive; "
            "decompress the file, extract them, and explain one of them"
        )
    original = io.BytesIO()
    decompress_stream(
        io.BytesIO(packed),
        original,
        options.model,
        progress,
        dictionary=options.dictionary,
        correction=options.correction,
    )
    return original.getvalue(), packed


def _page(name: str, strings: list[str], table: Rows, totals: dict[str, float]) -> str:
    """The page, with its data."""
    page = {
        "name": name,
        "strings": strings,
        "rows": len(table),
        "others": N_BEST + 1,
        "none": _NONE,
        "binary": _BINARY,
        "bitsUnit": _BITS_UNIT,
        "probabilityUnit": _PROBABILITY_UNIT,
        "totals": totals,
        "curve": _curve(table),
    }
    template = files("nacrith").joinpath("explain.html").read_text("utf-8")
    # A "<" could end the element that holds the JSON.
    data = json.dumps(page, ensure_ascii=False).replace("<", "\\u003c")
    columns = base64.b64encode(_pack(table)).decode("ascii")
    return template.replace("@COLUMNS@", columns).replace("@PAGE@", data)


def _refuse_large(size: int) -> None:
    if size > MAX_SIZE:
        raise NacrithError(
            f"a page shows at most {MAX_SIZE >> 20} MiB of text; give a part of the file, "
            "as `head -c 1000000 FILE` makes"
        )


def _frames(packed: bytes) -> Iterator[Frame]:
    for member in MemberReader(io.BytesIO(packed)):
        yield from member.frames()


class _Strings:
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


def _frame_rows(frame: Frame, original: bytes, logs: Iterator[TokenLog], strings: _Strings) -> Rows:
    """[n] `_SHOWN` of a frame; takes its log from `logs`."""
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
    rows = np.zeros(0, _SHOWN)
    if text:
        # A text that was smaller as binary data has left a record too.
        log = next(g for g in logs if len(g) == frame.n_symbols)
        # Its charset was detected by who made the file, perhaps otherwise than here.
        transcoded = to_utf8(bytes(text), log.charset)
        rows = _token_rows(transcoded, log, strings)
        if log.charset:
            places = _places_before(transcoded, log.charset)
            rows["size"] = np.diff(places[np.cumsum(rows["size"])], prepend=0)
    before, inserted = [], np.zeros(len(notes), _SHOWN)
    ends = np.cumsum(rows["size"])
    for row, (place, length, bits) in zip(inserted, notes, strict=True):
        before.append(int(np.searchsorted(ends, place)))
        row["shown"] = strings.number(f"[{counted(length, 'byte')} of binary data]".encode())
        row["bits"] = bits
        row["own"] = _BINARY
        row["size"] = length
    return np.insert(rows, before, inserted)


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


def _token_rows(text: bytes, log: TokenLog, strings: _Strings) -> Rows:
    """[n] `_SHOWN` of the tokens that spell `text`, with its own line breaks."""
    found = log.rows()
    vocabulary = log.vocabulary
    read = vocabulary.decode(found["symbol"])
    aligned = np.zeros(len(read) + 1, dtype=np.int64)
    _align(*(np.frombuffer(t, dtype=np.uint8) for t in (read, text)), aligned[1:])
    ends = aligned[np.cumsum(vocabulary.lengths[found["symbol"]])]
    begins = np.concatenate([[0], ends[:-1]])
    rows = np.zeros(len(found), _SHOWN)
    spans = zip(begins.tolist(), ends.tolist(), strict=True)
    rows["shown"] = [strings.number(without_cr(text[begin:end])) for begin, end in spans]
    rows["size"] = ends - begins
    symbols, places = np.unique(found["others"], return_inverse=True)
    numbers = np.array([strings.number(vocabulary.spellings[i]) for i in symbols])
    rows["others"] = numbers[places].reshape(rows["others"].shape)
    matches = found["others"] == found["symbol"][:, None]
    rows["own"] = np.where(matches.any(axis=1), matches.argmax(axis=1), _NONE)
    for name in ("bits", "p_model", "p_heads"):
        rows[name] = found[name]
    return rows


def _totals(rows: Rows, size: int, text_payload: int, binary_payload: int) -> dict[str, float]:
    """Bits by predictor, and what the file is made of."""
    model, heads, coded = rows["bits"][rows["own"] != _BINARY].sum(axis=0).tolist()
    return {
        "original": int(rows["size"].sum()),
        "tokens": int((rows["own"] != _BINARY).sum()),
        "model": model,
        "heads": heads,
        "coded": coded,
        "other": 8 * text_payload - coded,
        "binary": 8 * binary_payload,
        "container": 8 * (size - text_payload - binary_payload),
        "file": 8 * size,
    }


def _curve(rows: Rows) -> dict[str, list[float]]:
    """Bits per byte along the file, at most `POINTS` points, and the row each begins with."""
    begins = np.cumsum(rows["size"]) - rows["size"]
    width = max(POINT_BYTES, int(rows["size"].sum()) / POINTS)
    _, first = np.unique((begins / width).astype(np.int64), return_index=True)
    sizes = np.add.reduceat(rows["size"], first)
    bits = np.add.reduceat(rows["bits"], first, axis=0) / sizes[:, None]
    return {
        "row": first.tolist(),
        "model": bits[:, 0].round(3).tolist(),
        "coded": bits[:, 2].round(3).tolist(),
    }


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
    return zlib.compress(b"".join(column.tobytes() for column in columns), 9)
