"""The exact backend in PyTorch, for GPUs: the bits of `exact`, for hundreds of streams at once.

docs/numerics.md is the specification of both, docs/gpu.md says how this one keeps to it. What
an operation of PyTorch does here is exact in integers, or one correctly rounded operation of
IEEE 754; nothing is compiled or fused. The same code runs on PyTorch's CPU device.
"""
