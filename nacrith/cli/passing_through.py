"""`-dcf` of what is not compressed copies it: so `nacat -f` shows any file, as zcat does."""

import shutil
from typing import BinaryIO

from nacrith.format.container import MAGIC, REFERENCE_MAGICS


def is_plain(source: BinaryIO) -> bool:
    """Does the source begin otherwise than a compressed file? Nothing of it is used up."""
    peek = getattr(source, "peek", None)
    begin = peek(len(MAGIC))[: len(MAGIC)] if peek else MAGIC
    # Of a pipe there may be less yet; what could be a beginning is taken for one.
    return not begin or not any(magic.startswith(begin) for magic in REFERENCE_MAGICS)


def pass_through(source: BinaryIO, sink: BinaryIO) -> None:
    """Copy all there is."""
    shutil.copyfileobj(source, sink)
