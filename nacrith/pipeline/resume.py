"""Going on with a file whose writing was interrupted between two frames, or had ended."""

from collections.abc import Iterator
from typing import BinaryIO

from nacrith.errors import NacrithError, ResumeError
from nacrith.format.container import MemberReader
from nacrith.format.frame import MAX_ORIGINAL, Frame, check_of
from nacrith.format.header import Header
from nacrith.pipeline.blocks import read_blocks
from nacrith.system.reading import read_up_to
from nacrith.transforms.opening.limits import Inside


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


def done_of(part: BinaryIO, source: BinaryIO, block_size: int, inside: Inside) -> int:
    """Bytes of the original that an interrupted run has compressed; `source` is read as far.

    Raises:
        ResumeError: that was another original or block size, or other streams were opened.
    """
    done = 0
    blocks = read_blocks(source, block_size, inside)
    for header, frame, _ in intact_frames(part):
        check_frame(header, frame, header, next(blocks, b""))
        done += frame.original_size
    return done


def check_frame(header: Header, frame: Frame, expected: Header, block: bytes) -> None:
    """Raise ResumeError unless `frame` is what this run would write for `block`."""
    if frame.original_size != len(block) or frame.check != check_of(block):
        raise ResumeError(
            "the input has changed since the interrupted run, or the block size was another, or "
            "other streams were opened (--inside, --memlimit); resume with those, or start "
            "afresh with -f"
        )
    if header != expected:
        raise ResumeError(
            "the interrupted run had another model, version or other options; resume with "
            "those, or start afresh with -f"
        )


def block_size_of(part: BinaryIO, source: BinaryIO, usual: int, inside: Inside) -> int:
    """The block size that an interrupted run had, as far as its frames tell.

    A block may have been made longer, for a stream that ended behind it, so what would have made
    the first frame is tried.

    Args:
        part: what the run has written.
        source: its input, at the start, where it stands afterwards if it is seekable.
        usual: the size if `part` tells nothing.
        inside: what was opened.
    """
    sizes = [frame.original_size for _, frame, _ in intact_frames(part)]
    if not sizes:
        return usual
    # The last one may be the rest of the input.
    least = min(sizes[:-1] or sizes)
    if not source.seekable():
        return least
    begin = source.tell()
    try:
        for size in (usual, least, MAX_ORIGINAL):
            source.seek(begin)
            if len(next(read_blocks(source, size, inside), b"")) == sizes[0]:
                return size
    finally:
        source.seek(begin)
    return least


def is_made_of(packed: BinaryIO, source: BinaryIO) -> bool:
    """Is this a whole file whose frames have the checks of this original?"""
    try:
        for member in MemberReader(packed):
            for frame in member.frames():
                block = read_up_to(source, frame.original_size)
                if len(block) != frame.original_size or check_of(block) != frame.check:
                    return False
    except NacrithError:
        return False
    return not source.read(1)
