"""PNG pictures whose rows went through filters, made without a library for pictures."""

import struct
import zlib

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]

LEAST = "least"
"""In place of a filter: of each row the one whose bytes have the least sum, as libpng does."""


def photo(rows: int, columns: int, colors: int, seed: int = 0) -> Pixels:
    """Smooth shades with some noise, the same in all colors, [rows, columns, colors]."""
    y, x, c = np.mgrid[0:rows, 0:columns, 0:colors]
    shade = 120 + 60 * np.sin(x / 17 + c) + 50 * np.cos(y / 11 - x / 29)
    noise = np.random.default_rng(seed).normal(0, 3, (rows, columns, 1))
    return (shade + noise).astype(np.uint8)


def wide(rows: int, columns: int, colors: int, seed: int = 0) -> Pixels:
    """The same in 16 bits, the high byte first, [rows, columns, 2 * colors]."""
    y, x, c = np.mgrid[0:rows, 0:columns, 0:colors]
    shade = 30_000 + 15_000 * np.sin(x / 17 + c) + 12_000 * np.cos(y / 11 - x / 29)
    noise = np.random.default_rng(seed).normal(0, 300, (rows, columns, 1))
    return (shade + noise).astype(">u2").view(np.uint8)


def predictions(above: Pixels, row: Pixels, pixel: int) -> list[Pixels]:
    """What each filter predicts of a row, [width] uint8 each (PNG specification, 9.2)."""
    a = np.concatenate([np.zeros(pixel, np.int64), row[:-pixel].astype(np.int64)])
    b = above.astype(np.int64)
    c = np.concatenate([np.zeros(pixel, np.int64), b[:-pixel]])
    p = a + b - c
    nearest = np.where(abs(p - b) <= abs(p - c), b, c)
    is_a = (abs(p - a) <= abs(p - b)) & (abs(p - a) <= abs(p - c))
    paeth = np.where(is_a, a, nearest)
    return [f.astype(np.uint8) for f in (0 * b, a, b, (a + b) // 2, paeth)]


def filtered(pixels: Pixels, filters: list[int | str]) -> tuple[bytes, list[int]]:
    """The rows of [rows, width, colors] as they are stored, and their filters.

    Args:
        filters: of the rows, again and again.
    """
    n, _, pixel = pixels.shape
    lines = pixels.reshape(n, -1)
    above = np.zeros_like(lines[0])
    stored, used = [], []
    for y, line in enumerate(lines):
        rows = [line - predicted for predicted in predictions(above, line, pixel)]
        sums = [int(np.minimum(row.astype(np.int64), 256 - row.astype(np.int64)).sum())
                for row in rows]  # fmt: skip
        wanted = filters[y % len(filters)]
        kind = int(np.argmin(sums)) if isinstance(wanted, str) else wanted
        stored.append(bytes([kind]) + rows[kind].tobytes())
        used.append(kind)
        above = line
    return b"".join(stored), used


def png_of(pixels: Pixels, filters: list[int | str], level: int = 6, depth: int = 8) -> bytes:
    """A picture of [rows, width, bytes of a pixel], 8 or 16 bits a colour."""
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[8 * pixels.shape[2] // depth]
    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], depth, colour, 0, 0, 0)
    data = zlib.compress(filtered(pixels, filters)[0], level)
    chunks = ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )
