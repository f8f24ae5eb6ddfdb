"""Print a checksum of exact logits: `python -m tests.exact_checksum MODEL kernels|float32`.

Run as a process of its own, because what is tried is set in the environment.
"""

import sys
import zlib
from pathlib import Path

import numpy as np

TOKENS = np.random.default_rng(3).integers(3, 270, 24).astype(np.int32)


def with_kernels(path: Path) -> np.ndarray:
    from predictors.language_models.exact.model import ExactModel

    session = ExactModel(path, threads=2).open(1, 16, 2, ahead=6)
    session.prefetch(TOKENS[:, None])
    return np.array([session.step(token[None])[0].copy() for token in TOKENS])


def with_float32(path: Path) -> np.ndarray:
    from tests.exact_reference import Reference, float32_product

    def product(weights: np.ndarray, values: np.ndarray) -> np.ndarray:
        # Many rows, so that the library takes its matrix kernels, threads and all.
        def matmul(w: np.ndarray, x: np.ndarray) -> np.ndarray:
            return (w @ np.stack([x] * 64, axis=1))[:, 7]

        return float32_product(weights, values, matmul)

    reference = Reference(path, 16, 2, product)
    return np.array([reference.step(int(token)) for token in TOKENS])


if __name__ == "__main__":
    how = {"kernels": with_kernels, "float32": with_float32}[sys.argv[2]]
    print(zlib.crc32(how(Path(sys.argv[1])).tobytes()))
