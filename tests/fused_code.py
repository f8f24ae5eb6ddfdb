"""Fused kernels compiled for GPUs that are not here: their code in PTX."""

from collections.abc import Iterator
from typing import Any

_FLOATS = ("scale", "units", "units_in", "gain", "normed", "x", "source", "logits", "cos_sin")
_MORE_FLOATS = ("score_scale", "query_units", "key_scale", "value_scale", "out")
_TYPES = {
    **dict.fromkeys((*_FLOATS, *_MORE_FLOATS), "*fp32"),
    **dict.fromkeys(("sums", "offset", "worst", "scores"), "*i32"),
    **dict.fromkeys(("limbs", "queries", "keys", "values"), "*i8"),
    "numbers": "*fp64",
    "slots_at": "*i64",
    "unseen": "*u8",
}


def kernels() -> dict[str, tuple[Any, dict[str, Any]]]:
    """Each kernel with what is constant, as for the default model.

    Those that round, for version 3 of docs/numerics.md and for the versions before.
    """
    from predictors.language_models.exact_torch.fused import attention, heads, rows

    group = {"TILE": 16, "GP": 4}
    wide = {"BITS": 15, "WIDE": 0}
    of_width, of_ffn = {"BITS": 13, "WIDE": 16}, {"BITS": 12, "WIDE": 43}
    adds = {"ADDS": True, "WRITES": True, "BLOCK": 1024}
    return {
        "add_and_normalize": (rows.add_and_normalize, {**adds, **of_width}),
        "add_and_normalize, wide": (rows.add_and_normalize, {**adds, **wide}),
        "round_rows": (rows.round_rows, {**of_width, "BLOCK": 1024}),
        "round_rows, wide": (rows.round_rows, {**wide, "BLOCK": 1024}),
        "gate_and_round": (rows.gate_and_round, {**of_ffn, "BLOCK": 2048}),
        "gate_and_round, wide": (rows.gate_and_round, {**wide, "BLOCK": 2048}),
        "write_logits": (rows.write_logits, {"BLOCK": 1024}),
        "split_heads": (heads.split_heads, {**group, "BLOCK": 32}),
        "attend": (attention.attend, {**group, "D": 64, "N": 64}),
    }  # fmt: skip


def instructions(name: str, capability: int) -> Iterator[str]:
    """The instructions of a kernel for a GPU of NVIDIA, as 90 for 9.0; needs no GPU."""
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource
    from triton.compiler import compile as compiled

    kernel, constants = kernels()[name]
    signature = {
        argument: "constexpr" if argument in constants else _TYPES.get(argument, "i32")
        for argument in kernel.arg_names
    }
    constexprs = {(kernel.arg_names.index(key),): value for key, value in constants.items()}
    source = ASTSource(kernel, signature, constexprs=constexprs)
    target = GPUTarget("cuda", capability, 32)
    code = compiled(source, target=target, options={"enable_fp_fusion": False}).asm["ptx"]
    for line in code.splitlines():
        words = line.split("//")[0].replace(";", " ").split()
        # Behind a predicate, if there is one.
        words = words[1:] if words and words[0].startswith("@") else words
        if words and not words[0].startswith((".", "$", "{", "}")):
            yield words[0]
