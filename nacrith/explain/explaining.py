"""From a text, or a NC06 file, to the page about it."""

import gzip
import io
import lzma
from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO

import numpy as np

from nacrith.codec.token_log import Observer, observed_by
from nacrith.errors import NacrithError
from nacrith.explain.page import Subject, make_page
from nacrith.explain.rows import BINARY, SHOWN, Strings, frame_rows
from nacrith.explain.totals import Totals, sum_up
from nacrith.format.container import MAGIC, MemberReader
from nacrith.format.frame import Frame, Kind
from nacrith.format.header import Header
from nacrith.models.catalog import model_for
from nacrith.models.corrections import corrected_as
from nacrith.pipeline.compress import compress_stream
from nacrith.pipeline.decompress import decompress_stream
from nacrith.pipeline.options import CompressOptions
from nacrith.system.progress import NO_PROGRESS, Progress
from nacrith.transforms.opening.limits import NOTHING

MAX_SIZE = 1 << 24
"""More of the original makes a page that browsers can't show."""


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
    observer = Observer(ablating=True)
    work = _decompressed if given[: len(MAGIC)] == MAGIC else _compressed
    with observed_by(observer):
        original, packed = work(given, options, progress)
    strings = Strings()
    logs = iter(observer.logs)
    totals = Totals(
        original=len(original),
        file=8 * len(packed),
        gzip=8 * len(gzip.compress(original, 9, mtime=0)),
        xz=8 * len(lzma.compress(original, preset=9 | lzma.PRESET_EXTREME)),
    )
    rows, begin, first = [], 0, Header()
    for header, frame in _frames(packed):
        # One with text, if there is one.
        first = header if first.model is None else first
        end = begin + frame.original_size
        found, log = frame_rows(frame, original[begin:end], logs, strings)
        rows.append(found)
        text_payload = len(frame.payloads.get(Kind.TEXT, b""))
        totals.other += 8 * text_payload
        totals.binary += 8 * (sum(map(len, frame.payloads.values())) - text_payload)
        if log and log.ablated:
            totals.add_without(log.ablated.bits())
        begin = end
    table = np.concatenate([np.zeros(0, SHOWN), *rows])
    if not (table["own"] != BINARY).any():
        raise NacrithError("there is nothing to explain: the file holds no text for the model")
    sum_up(table, totals)
    return make_page(Subject(name, strings.texts(), table, totals, *_beside(first, options)))


def _beside(header: Header, options: CompressOptions) -> tuple[int, int]:
    """Bytes of the model that a file needs, and of the correction of its weights."""
    if header.model is None:
        return 0, 0
    used = model_for(header.model.name, header.model.sha256, options.model)
    used = corrected_as(used, header.model.correction, options.correction)
    correction = used.correction.size if used.correction else 0
    return used.path.stat().st_size, correction


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
    _refuse_large(sum(frame.original_size for _, frame in _frames(packed)))
    if any(frame.opened for _, frame in _frames(packed)):
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


def _refuse_large(size: int) -> None:
    if size > MAX_SIZE:
        raise NacrithError(
            f"a page shows at most {MAX_SIZE >> 20} MiB of text; give a part of the file, "
            "as `head -c 1000000 FILE` makes"
        )


def _frames(packed: bytes) -> Iterator[tuple[Header, Frame]]:
    for member in MemberReader(io.BytesIO(packed)):
        for frame in member.frames():
            yield member.header, frame
