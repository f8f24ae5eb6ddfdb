"""The segments of a JPEG picture (T.81, annex B), up to the header of the next scan."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from nacrith.transforms.jpeg import huffman_tables
from nacrith.transforms.jpeg.frame_header import FrameHeader, read_frame_header
from nacrith.transforms.jpeg.huffman_tables import FIRST_AC, HuffmanTables
from predictors.jpeg.layout import (
    ACROSS,
    COEFFICIENTS,
    DOWN,
    MOST,
    USED_HEIGHT,
    USED_WIDTH,
    ZIGZAG,
    Components,
)

# Markers: frame headers of the modes that are known; Huffman tables; restarts; start and end of a
# picture; start of a scan; quantization tables; restart interval.
_SEQUENTIAL, _PROGRESSIVE = (0xC0, 0xC1), 0xC2
_DHT, _SOI, _EOI, _SOS, _DQT, _DRI = 0xC4, 0xD8, 0xD9, 0xDA, 0xDB, 0xDD
# Without a length; a picture that has one of the last two is of no known kind.
_OTHER_FRAMES = {*range(0xC3, 0xD0)} - {_DHT, 0xC8}
_DNL = 0xDC

# Places of a scan's parameters: how many components; the components; their tables of DC and AC;
# the first and the last coefficient, and the bits that were known and are known afterwards
# (T.81, B.2.3); is the picture progressive?; MCUs between restarts; the MCUs of the scan, of how
# many of these a row has.
N, COMPONENT, DC_TABLE, AC_TABLE = 0, 1, 5, 9
BEGIN, END, KNOWN, LEFT, PROGRESSIVE, INTERVAL, UNITS, ROW = range(13, 21)
_PLACES = 21

_MOST_BITS_LEFT = 13
_MOST_BITS_LEFT_BY_REFINEMENT = MOST.bit_length() - 1
"""Coefficients have eleven digits."""


class Scan(NamedTuple):
    """Attributes:
    place: where its bytes begin.
    parameters: [21] int64, see above.
    """

    place: int
    parameters: npt.NDArray[np.int64]


class Markers:
    """Reads one segment after the other.

    Attributes:
        place: where the next one begins. Whoever knows where a scan ends says it here.
        frame: the frame header, None as long as there was none.
        tables: of Huffman.
        quantization: [4, 64] int64, in rows of a block; 0 = there was none.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.place = 2
        self.frame: FrameHeader | None = None
        self.tables: HuffmanTables = huffman_tables.new_tables()
        self.quantization = np.zeros((4, COEFFICIENTS), dtype=np.int64)
        self._interval = 0

    def next_scan(self) -> Scan | None:
        """Read up to a scan; None if there is none, or what is not known here."""
        data = self._data
        while self.place + 4 <= len(data) and data[self.place] == 0xFF:
            marker = data[self.place + 1]
            if marker == 0xFF:
                self.place += 1
                continue
            size = int.from_bytes(data[self.place + 2 : self.place + 4], "big")
            body = data[self.place + 4 : self.place + 2 + size]
            if marker < 0xC0 or 0xD0 <= marker <= _EOI or size < 2 or len(body) != size - 2:
                return None
            if not self._read(marker, body):
                return None
            self.place += 2 + size
            if marker == _SOS:
                parameters = self._scan(body)
                return None if parameters is None else Scan(self.place, parameters)
        return None

    def _read(self, marker: int, body: bytes) -> bool:
        """Take note of a segment; False if the picture is none that is known."""
        if marker in (*_SEQUENTIAL, _PROGRESSIVE):
            if self.frame:
                return False
            self.frame = read_frame_header(body, marker == _PROGRESSIVE)
            return self.frame is not None
        if marker == _DHT:
            return huffman_tables.define(self.tables, body)
        if marker == _DQT:
            return self._quantization(body)
        if marker == _DRI:
            self._interval = int.from_bytes(body, "big")
            return len(body) == 2
        return marker not in _OTHER_FRAMES and marker != _DNL

    def _quantization(self, body: bytes) -> bool:
        place = 0
        while place < len(body):
            wide, number = body[place] >> 4, body[place] & 15
            size = COEFFICIENTS * (1 + wide)
            values = body[place + 1 : place + 1 + size]
            if wide > 1 or number > 3 or len(values) != size:
                return False
            table = np.frombuffer(values, dtype=">u2" if wide else "u1")
            self.quantization[number, ZIGZAG] = table
            place += 1 + size
        return True

    def _scan(self, body: bytes) -> npt.NDArray[np.int64] | None:
        """The parameters that a scan header has (T.81, B.2.3)."""
        frame = self.frame
        n = body[0] if body else 0
        if frame is None or not 1 <= n <= len(frame.ids) or len(body) != 4 + 2 * n:
            return None
        s = np.zeros(_PLACES, dtype=np.int64)
        s[N] = n
        last = -1
        for i in range(n):
            name, tables = body[1 + 2 * i : 3 + 2 * i]
            if name not in frame.ids[last + 1 :] or tables >> 4 >= FIRST_AC or tables & 15 > 3:
                return None
            last = frame.ids.index(name)
            s[COMPONENT + i] = last
            s[DC_TABLE + i] = tables >> 4
            s[AC_TABLE + i] = FIRST_AC + (tables & 15)
        begin, end, bits = body[1 + 2 * n :]
        if not frame.progressive:
            begin, end, bits = 0, COEFFICIENTS - 1, 0
        s[BEGIN], s[END], s[KNOWN], s[LEFT] = begin, end, bits >> 4, bits & 15
        if not _is_possible(s, frame.progressive):
            return None
        s[PROGRESSIVE], s[INTERVAL] = frame.progressive, self._interval
        if n == 1:
            # Only blocks with pixels, one after the other.
            row, rows = frame.components[last, [USED_WIDTH, USED_HEIGHT]]
        else:
            row, rows = frame.mcus
        s[UNITS], s[ROW] = row * rows, row
        return s


def blocks_of(s: npt.NDArray[np.int64], components: Components) -> int:
    """How many blocks a scan of these parameters goes through."""
    units = int(s[UNITS])
    if s[N] == 1:
        return units
    c = components[s[COMPONENT : COMPONENT + int(s[N])]]
    return units * int((c[:, ACROSS] * c[:, DOWN]).sum())


def _is_possible(s: npt.NDArray[np.int64], progressive: bool) -> bool:
    """Are there such scans (T.81, G.1.1.1)?"""
    if not progressive:
        return True
    if not 0 <= s[BEGIN] <= s[END] < COEFFICIENTS or s[LEFT] > _MOST_BITS_LEFT:
        return False
    if s[KNOWN] and (s[KNOWN] != s[LEFT] + 1 or s[LEFT] > _MOST_BITS_LEFT_BY_REFINEMENT):
        return False
    # DC alone, or AC of one component.
    return bool(s[END] == 0 if s[BEGIN] == 0 else s[N] == 1)
