"""How the kernels of this backend are compiled."""

from functools import partial

from coder.kernels import njit

# Threads run them side by side. None makes an array, so references need not be counted: that took
# 32 of 39 ns for a row of a tile (measured). Divisors are not asked whether they are 0.
kernel = partial(njit, nogil=True, cache=True, error_model="numpy", counted=False)
"""`njit` for a kernel of the exact backend: `@kernel`, or `@kernel(...)` with more options."""
