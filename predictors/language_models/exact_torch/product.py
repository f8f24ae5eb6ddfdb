"""Integer products of int8 weights and 16-bit rows, exact on every device.

A row q of 15 bits and a sign is two limbs of a signed byte, q = 256 h + l + 128: so a product is
one of int8 with int32 sums, of twice the rows. Two routes give these sums:

- `torch._int_mm`: the int8 units of a GPU (cuBLASLt, hipBLASLt), or VNNI (oneDNN);
- float32 products, of so few columns at a time that every partial sum is an integer below 2**24.

Which one is right on a device is tried with the largest numbers there are (`int8_is_exact`).
"""

from functools import cache
from typing import Any

import numpy as np

from predictors.base import IntArray, ModelError
from predictors.language_models.exact_torch.torch_module import torch

LIMBS = 2
LIMB_BITS = 8
_LIMB_MASK = (1 << LIMB_BITS) - 1
HALF = 1 << (LIMB_BITS - 1)
"""What makes the low limb a signed byte; the sums of the weights take it off again."""

# float32 holds every integer up to this.
_EXACT_FLOAT = 1 << 24

# cuBLASLt takes int8 matrices of more than 16 rows, and of multiples of 8 otherwise.
MIN_ROWS = 32
"""Rows of limbs, at least."""

_ALIGNMENT = 16


def aligned(n: int) -> int:
    """`n` rounded up to what int8 products take."""
    return -(-n // _ALIGNMENT) * _ALIGNMENT


def limbs_of(values: Any) -> Any:
    """The limbs of [M, k] float32 integers within int16, [2 M', k'] int8.

    High limbs are in the rows 0 .. M' - 1, low ones follow; M' ≥ M and k' ≥ k are what products
    take, and what is beyond M and k is 0.
    """
    rows, k = values.shape
    room = max(rows, MIN_ROWS // LIMBS)
    integers = values.to(torch.int16)
    if (room, aligned(k)) == (rows, k):
        limbs = values.new_empty((LIMBS, room, k), dtype=torch.int8)
    else:
        limbs = values.new_zeros((LIMBS, room, aligned(k)), dtype=torch.int8)
    limbs[0, :rows, :k] = integers >> LIMB_BITS
    limbs[1, :rows, :k] = (integers & _LIMB_MASK) - HALF
    return limbs.view(LIMBS * room, -1)


class Product:
    """A matrix of int8 weights on a device.

    Attributes:
        int8: [k', n'] int8, filled up with zeros; None with the other route.
        offset: [n] int32, what the low limbs lack of the sums.
    """

    def __init__(self, weights: Any, uses_int8: bool) -> None:
        """
        Args:
            weights: [n, k] int8 on the device.
            uses_int8: the route; see above.
        """
        n, k = weights.shape
        padded = weights.new_zeros((aligned(n), aligned(k)))
        padded[:n, :k] = weights
        self._columns = n
        sums = weights.sum(dim=1, dtype=torch.int64) * HALF
        self.offset = sums.to(torch.int32)
        self.int8 = padded.t() if uses_int8 else None
        self._runs: list[Any] = []
        if not uses_int8:
            size = _EXACT_FLOAT // (HALF * max(1, int(weights.abs().max())))
            self._runs = [part.t().float() for part in padded.split(size, dim=1)]

    def __call__(self, limbs: Any, rows: int) -> Any:
        """Sums of rows times all columns, [rows, n] int32.

        Args:
            limbs: of `limbs_of`, of so many rows.
        """
        parts = self._multiply(limbs).view(LIMBS, -1, aligned(self._columns))
        high, low = parts[:, :rows, : self._columns]
        # Modulo 2**32, as the specification allows it.
        return torch.add(low, high, alpha=1 << LIMB_BITS).add_(self.offset)

    def _multiply(self, limbs: Any) -> Any:
        """[2 M', k'] int8 to [2 M', n'] int32."""
        if self.int8 is not None:
            return torch._int_mm(limbs, self.int8)
        total, begin = None, 0
        for run in self._runs:
            part = limbs[:, begin : begin + len(run)].float() @ run
            begin += len(run)
            total = part.to(torch.int32) if total is None else total.add_(part.to(torch.int32))
        return total


@cache
def int8_is_exact(device: Any) -> bool:
    """Does `torch._int_mm` of a device return right sums, also of the largest numbers?

    Raises:
        ModelError: float32 products don't either, so nothing here can be used.
    """
    found = {uses_int8: _is_exact(device, uses_int8) for uses_int8 in (True, False)}
    if not any(found.values()):
        raise ModelError(
            f"integer products on {device} are wrong; use --device cpu, or another PyTorch"
        )
    return found[True]


# Shapes of the trial: columns, k. The last k is that of the widest limit in float32.
_TRIED = ((48, 32), (64, 576), (80, 1536), (33, 4097))


def _is_exact(device: Any, uses_int8: bool) -> bool:
    random = np.random.default_rng(0)
    try:
        for n, k in _TRIED:
            weights = random.choice(np.array([-127, 127, 5], dtype=np.int8), (n, k))
            weights[0], weights[1] = 127, -127
            values: IntArray = random.choice(np.array([-32767, 32767, 129], np.int32), (40, k))
            values[0], values[1] = 32767, -32767
            product = Product(torch.from_numpy(weights).to(device), uses_int8)
            rows = torch.from_numpy(values.astype(np.float32)).to(device)
            sums = product(limbs_of(rows), len(values)).cpu().numpy()
            expected = values.astype(np.int64) @ weights.astype(np.int64).T
            if not np.array_equal(sums, expected.astype(np.int32)):
                return False
    except torch.OutOfMemoryError:
        raise
    except (RuntimeError, NotImplementedError):
        # A device or a build without such a product.
        return False
    return True
