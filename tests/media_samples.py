"""Pictures and sound that are made up, and the files that hold them."""

import io
import struct
import wave

import numpy as np


def picture(rows: int, columns: int, colors: int) -> np.ndarray:
    """[rows, columns, colors] uint8, smooth with a little noise."""
    y, x = np.mgrid[0:rows, 0:columns]
    smooth = 120 + 60 * np.sin(x / 9) + 50 * np.cos(y / 7 + x / 31)
    noise = np.random.default_rng(0).normal(0, 2, (rows, columns, colors))
    shade = np.arange(colors) * 11
    return np.clip(smooth[:, :, None] + shade + noise, 0, 255).astype(np.uint8)


def music(n: int) -> np.ndarray:
    """[n, 2] int16, two tones with a little noise."""
    t = np.arange(n)
    tone = 9000 * np.sin(t / 11) + 5000 * np.sin(t / 29 + 1)
    noise = np.random.default_rng(0).normal(0, 40, (n, 2))
    return (np.stack([tone, 0.7 * tone], axis=1) + noise).astype(np.int16)


def bmp(pixels: np.ndarray) -> bytes:
    """A bitmap of [rows, columns, 3] uint8 with rows of whole words."""
    rows, columns, _ = pixels.shape
    stride = (columns * 3 + 3) // 4 * 4
    padded = np.zeros((rows, stride), dtype=np.uint8)
    padded[:, : columns * 3] = pixels.reshape(rows, -1)
    size = 54 + padded.size
    head = struct.pack("<2sIIIIiiHHIIiiII", b"BM", size, 0, 54, 40, columns, rows, 1, 24, *[0] * 6)
    return head + padded.tobytes()


def wav(samples: np.ndarray) -> bytes:
    """A file of [n, channels] int16."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(samples.shape[1])
        writer.setsampwidth(2)
        writer.setframerate(22050)
        writer.writeframes(samples.astype("<i2").tobytes())
    return file.getvalue()
