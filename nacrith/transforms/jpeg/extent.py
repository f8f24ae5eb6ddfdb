"""Where a JPEG picture ends, by its markers alone."""

# Start and end of the picture, start of a scan; those without a length.
_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_ALONE = {0x01, *range(0xD0, 0xD8)}

LEAST_PICTURE = 512
"""Bytes; of a smaller one nothing is saved."""


def end_of_picture(data: memoryview, begin: int) -> int | None:
    """The place behind the JPEG picture that begins at a place; None if there is none.

    One that is cut off in a scan goes to the end of the data.
    """
    place = begin + 2
    n = len(data)
    scans = 0
    while place + 2 <= n:
        if data[place] != 0xFF:
            break
        marker = data[place + 1]
        place += 2
        if marker == _EOI:
            return place if place - begin >= LEAST_PICTURE and scans else None
        if marker == 0xFF:
            place -= 1
            continue
        if marker in _ALONE:
            continue
        if marker in (0, _SOI):
            break
        place += int.from_bytes(data[place : place + 2], "big")
        if marker == _SOS:
            scans += 1
            place = _end_of_scan(data, place)
    # What follows a scan may be damaged.
    end = min(place, n)
    return end if scans and end - begin >= LEAST_PICTURE else None


def _end_of_scan(data: memoryview, place: int) -> int:
    """The next marker that is none of a scan: neither a restart nor an escaped FF."""
    step = 1 << 16
    while place < len(data):
        # With a byte of the next part, for a marker in two of them.
        part = bytes(data[place : place + step + 1])
        found = part.find(b"\xff")
        while 0 <= found < min(step, len(part) - 1):
            following = part[found + 1]
            if following and not 0xD0 <= following <= 0xD7:
                return place + found
            found = part.find(b"\xff", found + 1)
        place += step
    return len(data)
