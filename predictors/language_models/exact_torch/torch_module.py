"""PyTorch, or what to do where it is missing."""

from predictors.base import ModelError

try:
    import torch
except ImportError as error:
    raise ModelError("the backend exact-torch needs PyTorch: pip install 'nacrith[gpu]'") from error

__all__ = ["torch"]
