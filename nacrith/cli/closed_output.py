"""Standard output that is closed: `nacrith list FILE.nc >&-`."""

import io
from typing import BinaryIO, NoReturn

from nacrith.errors import FileError


class ClosedOutput(io.TextIOBase):
    """In place of the None that Python makes of it, to which click prints without a word."""

    encoding = "utf-8"

    @property
    def buffer(self) -> BinaryIO:
        """For bytes; raises FileError."""
        self._refuse()

    def write(self, text: str) -> int:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise FileError("standard output is closed; open it, or say where to write with -o")
