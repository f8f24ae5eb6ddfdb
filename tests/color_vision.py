"""What people with other colour vision see of a colour, and how far two colours are apart.

Machado, Oliveira and Fernandes 2009 (severity 1.0), on linear RGB; distances in CIELAB (CIE 1976).
"""

import numpy as np

SIMULATED = {
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
    "none": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
}

_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
     [0.0193339, 0.1191920, 0.9503041]]
)  # fmt: skip
_WHITE = _XYZ.sum(axis=1)


def linear(colour: str) -> np.ndarray:
    """[3] linear RGB of #rgb or #rrggbb, each from 0 to 1."""
    digits = colour.lstrip("#")
    digits = "".join(2 * d for d in digits) if len(digits) == 3 else digits
    encoded = np.array([int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)])
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    """[3] CIELAB of linear RGB."""
    ratio = _XYZ @ rgb.clip(0, 1) / _WHITE
    f = np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def distance(one: str, other: str, vision: str) -> float:
    """Of two colours as somebody with this vision sees them; 2.3 is just noticeable."""
    seen = np.array(SIMULATED[vision])
    return float(np.linalg.norm(lab(seen @ linear(one)) - lab(seen @ linear(other))))


def contrast(one: str, other: str) -> float:
    """Of letters on a ground, from 1 to 21 (WCAG 2.1)."""
    light = sorted(float(_XYZ[1] @ linear(colour)) + 0.05 for colour in (one, other))
    return light[1] / light[0]
