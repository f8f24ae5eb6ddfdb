"""Rows that version 3 of docs/numerics.md (section 3.1) is hard on."""

from collections.abc import Iterator

import numpy as np

SIZES = (4, 8, 32, 36, 40, 576, 1536)
"""Values of a row: with one quad, up to the last and from the first that may have two wide ones."""


def outlier_rows(k: int) -> np.ndarray:
    """[n, k] float32 of all kinds, all finite."""
    return np.array(list(_rows(k)), dtype=np.float32)


def _rows(k: int) -> Iterator[np.ndarray]:
    random = np.random.default_rng(k)
    quads = k // 4
    allowed = -(-k // 36)

    def among(outliers: int, size: float, others: np.ndarray) -> np.ndarray:
        """With a value of such a size in so many quads, the first and the last among them."""
        row = others.copy()
        n = min(outliers, quads)
        between = random.permutation(np.arange(1, max(1, quads - 1)))
        places = np.append([0, quads - 1], between)[:n]
        row[4 * places + random.integers(0, 4, n)] = size * random.choice([-1.0, 1.0], n)
        return row

    ones = random.choice([-1.0, 1.0], k)
    normal = random.standard_normal(k)
    below = np.nextafter(np.float32(127.5), np.float32(0))
    yield np.zeros(k)
    yield -np.zeros(k)
    # All quads are alike: none is wide, or all are.
    yield ones
    yield 1.9999 * ones
    yield normal
    # As many outliers as may be wide, fewer and more, near the others and far from them.
    for outliers in sorted({allowed // 2, allowed - 1, allowed, allowed + 1, 2 * allowed}):
        for size in (20.0, 300.0, 3000.0, 1e30):
            yield among(outliers, size, normal)
    # On both sides of the least wide value, where too many quads have it and where they do not,
    # beside one that makes the unit of so many bits just possible.
    for value in (127.5, below, 128.0, 255.0):
        for outliers in (allowed - 1, allowed, allowed + 1):
            for largest in (4096.0, 8191.75):
                row = among(outliers, value, random.integers(-127, 128, k).astype(float))
                row[-1] = largest
                yield row
    # Halves, which are rounded to the even side.
    yield random.integers(-8191, 8192, k) / 2
    yield random.integers(-255, 256, k) / 2
    # Powers of two; the largest value is rounded up to one, or is one.
    yield ones * 2.0 ** random.integers(-16, 2, k)
    yield among(1, float(np.nextafter(np.float32(2), np.float32(1))), ones / 4096)
    # About where the exponent is limited, and below; the smallest and the largest numbers.
    for exponent in (-99, -100, -101, -106, -112, -114, -126, -140):
        yield among(allowed, 2.0**exponent, normal * 2.0 ** (exponent - 4))
    yield among(1, 2.0**-149, np.zeros(k))
    yield ones * float(np.finfo(np.float32).max)
    yield among(1, float(np.finfo(np.float32).max), normal)
