"""Triton, which comes with PyTorch for GPUs on Linux: what imports this fails without it."""

import triton
import triton.language as tl

__all__ = ["tl", "triton"]
