"""Random corrections of the tiny model."""

import numpy as np

from predictors.language_models.correction.correction_file import Correction
from predictors.language_models.correction.matrices import matrices
from predictors.language_models.exact.gguf_file import Gguf
from predictors.language_models.file_hash import sha256_of


def random_correction(path, rank=3, size=0.3, seed=1, base=None):
    """A correction of a GGUF about `size` times as large as its weights; may build on another."""
    random = np.random.default_rng(seed)
    shape = Gguf(path).shape
    a, b, scale = {}, {}, {}
    for i, (name, m) in enumerate(matrices(shape).items()):
        r = rank + i
        a[name] = random.integers(-127, 128, (shape.layers, r, m.inputs)).astype(np.int8)
        b[name] = random.integers(-127, 128, (shape.layers, m.outputs, r)).astype(np.int8)
        spread = size / np.sqrt(m.inputs) / (np.sqrt(r) * 127**2 / 3)
        rows = random.uniform(0.5, 1.5, (shape.layers, m.outputs))
        scale[name] = (spread * rows).astype(np.float32)
    return Correction(shape, sha256_of(path), a, b, scale, base)


def write_two(gguf, folder):
    """Write a correction, `base.bin`, and one that builds on it, `on.bin`; return the latter."""
    base = random_correction(gguf)
    (folder / "base.bin").write_bytes(base.to_bytes())
    on = random_correction(gguf, rank=2, size=0.2, seed=7, base=base)
    (folder / "on.bin").write_bytes(on.to_bytes())
    return on


def write_three(gguf, folder):
    """As `write_two`, and one that builds on the second, `third.bin`; return this one."""
    third = random_correction(gguf, seed=8, base=write_two(gguf, folder))
    (folder / "third.bin").write_bytes(third.to_bytes())
    return third
