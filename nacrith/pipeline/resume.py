"""Going on with a file whose writing was interrupted between two frames."""

from collections.abc import Iterator
from typing import BinaryIO

from nacrith.errors import NacrithError, ResumeError
from nacrith.format.container import MemberReader
from nacrith.format.frame import Frame, check_of
from nacrith.format.header import Header


def intact_frames(part: BinaryIO) -> Iterator[tuple[Header, Frame, int]]:
    """Yield the frames that were written whole, each with the header and its end in `part`.

    `part` is read from its start. Nothing is yielded if there is no intact header, or if
    the frame is the sole one: that is as soon written anew.
    """
    part.seek(0)
    reader = MemberReader(part)
    try:
        member = next(iter(reader))
        if member.sole:
            return
        for frame in member.frames():
            yield member.header, frame, reader.position
    except NacrithError:
        return


def holds_a_frame(part: BinaryIO) -> bool:
    """Is there anything to go on with?"""
    return next(intact_frames(part), None) is not None


def check_frame(header: Header, frame: Frame, expected: Header, block: bytes) -> None:
    """Raise ResumeError unless `frame` is what this run would write for `block`."""
    if frame.original_size != len(block) or frame.check != check_of(block):
        raise ResumeError(
            "the input has changed since the interrupted run, or the block size was another; "
            "resume with that, or start afresh with -f"
        )
    if header != expected:
        raise ResumeError(
            "the interrupted run had another model, version or other options; resume with "
            "those, or start afresh with -f"
        )
