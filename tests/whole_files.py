"""Files in memory: made, restored, and taken apart."""

import io
from pathlib import Path

from nacrith.format.container import MemberReader
from nacrith.format.frame import Frame
from nacrith.format.header import Header
from nacrith.pipeline.compress import compress_stream
from nacrith.pipeline.decompress import decompress_stream
from nacrith.pipeline.options import CompressOptions
from nacrith.system.progress import NO_PROGRESS, Progress
from nacrith.workers.base import Workers


def compressed(
    data: bytes,
    options: CompressOptions,
    workers: Workers | None = None,
    progress: Progress = NO_PROGRESS,
) -> bytes:
    """The file that becomes of some data."""
    sink = io.BytesIO()
    compress_stream(io.BytesIO(data), sink, options, len(data), progress, workers)
    return sink.getvalue()


def restored(
    packed: bytes,
    model: Path | None = None,
    workers: Workers | None = None,
    wanted: range | None = None,
) -> bytes:
    """The original of a file, or the bytes of it that are wanted."""
    sink = io.BytesIO()
    decompress_stream(io.BytesIO(packed), sink, model, workers=workers, wanted=wanted)
    return sink.getvalue()


def header_of(packed: bytes) -> Header:
    """The header of a file's first member."""
    return next(iter(MemberReader(io.BytesIO(packed)))).header


def frames_of(packed: bytes) -> list[Frame]:
    """The frames of all members of a file."""
    return [frame for member in MemberReader(io.BytesIO(packed)) for frame in member.frames()]
