"""The matrices that a correction changes: those that read the same input are one."""

from typing import NamedTuple

from predictors.language_models.exact.shape import Shape

NAMES = {
    "qkv": ("attn_q", "attn_k", "attn_v"),
    "output": ("attn_output",),
    "gate_up": ("ffn_gate", "ffn_up"),
    "down": ("ffn_down",),
}
"""Of the GGUF's tensors of a layer that are joined by rows, as `exact.weights.Weights` has them."""


class Matrix(NamedTuple):
    """Dimensions of a joined matrix: n outputs, k inputs."""

    outputs: int
    inputs: int


def matrices(shape: Shape) -> dict[str, Matrix]:
    """The matrices of one layer, in the order of `NAMES`."""
    attended = shape.heads * shape.head_size
    projected = attended + 2 * shape.kv_heads * shape.head_size
    return {
        "qkv": Matrix(projected, shape.width),
        "output": Matrix(shape.width, attended),
        "gate_up": Matrix(2 * shape.ffn_size, shape.width),
        "down": Matrix(shape.width, shape.ffn_size),
    }
