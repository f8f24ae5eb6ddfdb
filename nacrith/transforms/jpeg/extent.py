"""Where a JPEG picture ends, by its markers alone (T.81, B.1.1)."""

# Start and end of the picture, start of a scan; those without a length.
_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_ALONE = {0x01, *range(0xD0, 0xD8)}

LEAST_PICTURE = 512
"""Bytes; of a smaller one nothing is saved."""

_STEP = 1 << 16


class Extent:
    """Follows a picture as its bytes come, from the first one on.

    Attributes:
        ended: has the end been seen?
        failed: this is no picture, or something else follows a scan.
        scans: how many have begun.
        used: bytes of the picture so far.
    """

    def __init__(self) -> None:
        self.ended = self.failed = False
        self.scans = self.used = 0
        self._left = b""
        # Of the first marker.
        self._skipped = 2
        self._in_scan = False

    def feed(self, data: bytes | memoryview) -> None:
        """Give the next bytes."""
        known = self._left + bytes(data)
        self.used += len(data)
        place = 0
        while not self.ended and not self.failed:
            following = self._follow(known, place)
            if following == place:
                break
            place = following
        self._left = known[place:]
        if self.ended or self.failed:
            self.used -= len(self._left)

    def _follow(self, data: bytes, place: int) -> int:
        """Understand some bytes; return the place behind them, the same if there are too few."""
        if self._skipped:
            n = min(self._skipped, len(data) - place)
            self._skipped -= n
            return place + n
        if self._in_scan:
            place = data.find(b"\xff", place)
            if place < 0:
                return len(data)
            if place + 1 == len(data):
                # The marker is not known yet.
                return place
        if place + 2 > len(data):
            return place
        marker = data[place + 1]
        if self._in_scan:
            if marker == 0 or 0xD0 <= marker <= 0xD7:
                return place + 2
            self._in_scan = False
        if data[place] != 0xFF or marker in (0, _SOI):
            self.failed = True
        elif marker == _EOI:
            self.ended = True
            return place + 2
        elif marker == 0xFF:
            return place + 1
        elif marker in _ALONE:
            return place + 2
        elif place + 4 <= len(data):
            self._skipped = int.from_bytes(data[place + 2 : place + 4], "big")
            self._in_scan = marker == _SOS
            self.scans += self._in_scan
            return place + 2
        return place


def extent_of(data: memoryview, begin: int) -> Extent:
    """What is to be seen of a picture that begins at a place."""
    extent = Extent()
    while not extent.ended and not extent.failed and begin + extent.used < len(data):
        place = begin + extent.used
        extent.feed(data[place : place + _STEP])
    return extent


def end_of(extent: Extent) -> int:
    """Bytes of a picture that has been followed; 0 if it is none, or too small.

    One that is cut off or damaged behind the begin of a scan goes as far as it can be followed.
    """
    return extent.used if extent.scans and extent.used >= LEAST_PICTURE else 0
