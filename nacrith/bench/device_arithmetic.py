"""What a step costs a GPU by arithmetic: operations, bytes and launches, and the time they take.

The step is carried out on tensors without content (PyTorch's device `meta`), so that what is
counted is what is launched. A launch reads its inputs and writes its outputs once; what of that
stays in the GPU's cache is not known here, so all of it is counted as memory traffic.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nacrith.bench.markdown import table
from nacrith.codec.loaded_models import translated
from nacrith.format.parameters import Parameters
from nacrith.models.catalog import default_model
from predictors.language_models.exact.cache import BLOCK
from predictors.language_models.exact.shape import Shape

BYTES_PER_TOKEN = 4.2
"""Of English text with the default model."""


@dataclass(frozen=True)
class Gpu:
    """What a data sheet says.

    Attributes:
        memory: bytes a second. link: bytes a second to the processor's memory.
        int8: operations a second of tensor cores, dense; a product and its sum are two.
        float32: the same outside of them. integer: int32 operations a second.
    """

    name: str
    memory: float
    link: float
    int8: float
    float32: float
    integer: float


GPUS = (
    Gpu("H100", 3.35e12, 64e9, 1979e12, 67e12, 16.7e12),
    Gpu("RTX 4090", 1.008e12, 32e9, 660e12, 82.6e12, 20.6e12),
)
"""H100 SXM5 (NVIDIA's white paper of 2022) and RTX 4090 (that of Ada, 2022)."""

LAUNCH = 2e-6
"""Seconds from one operation of a CUDA graph to the next, at least; an assumption."""

MEMORY_SHARE = 0.7
"""Of the bandwidth that is reached, of the memory and of the link; an assumption."""

PRODUCT_SHARE = 0.4
"""Of the peak that products of matrices of this size, and integers, reach; an assumption."""

OPERATIONS_PER_SCORE = 60
"""Integer operations of `fused/attention.py` for a query head and a slot, counted in its text."""


@dataclass(frozen=True)
class Counts:
    """Of one batch.

    Attributes:
        what: in words. rows: tokens. slots: that are looked at.
        launches: operations that compute or copy. bytes: that they read and write.
        int8, float32: operations of products. integer: of scores.
    """

    what: str
    rows: int
    slots: int
    launches: int
    bytes: int
    int8: int
    float32: int = 0
    integer: int = 0

    def seconds(self, gpu: Gpu) -> float:
        """A batch takes what its launches take, or its bytes and operations, if that is more."""
        moving = self.bytes / (gpu.memory * MEMORY_SHARE)
        computing = self.int8 / gpu.int8 + self.float32 / gpu.float32 + self.integer / gpu.integer
        return max(self.launches * LAUNCH, moving + computing / PRODUCT_SHARE)


def count_steps(
    streams: Sequence[int], window: int, model: Path | None = None
) -> tuple[Shape, list[Counts]]:
    """Count steps of so many streams each, a quarter into the window and when it is full.

    With PyTorch's operations, with fused kernels, and with these in batches of known tokens.

    Args:
        model: a GGUF; None = the default one.

    Raises:
        NacrithError: the model can't be read, or PyTorch is missing.
    """
    with translated():
        from predictors.language_models.exact.model_data import model_data
        from predictors.language_models.exact_torch.model import MOST_AHEAD, ROWS
        from predictors.language_models.exact_torch.network import network_on
        from predictors.language_models.exact_torch.torch_module import torch
        from predictors.language_models.versions import VERSION, has_byte_rows

        data = model_data(model or default_model().path, 1)
        network = network_on(data, torch.device("meta"), has_byte_rows(VERSION), uses_int8=True)
    depths = (window // 4, window + BLOCK)
    found = [_count(network, n, slots) for n in streams for slots in depths]
    for positions in (1, 0):
        for n in streams:
            of_batch = positions or max(1, min(ROWS["cuda"] // n, MOST_AHEAD))
            found += [count_fused(data.shape, n, of_batch, slots) for slots in depths]
    return data.shape, found


def _count(network: Any, streams: int, slots: int) -> Counts:
    import torch

    from predictors.language_models.exact_torch.attention import Batch
    from predictors.language_models.exact_torch.cache import new_cache, whole_blocks
    from predictors.language_models.exact_torch.forward import forward
    from predictors.language_models.exact_torch.passes import streams_together

    shape = network.shape

    def empty(*sizes: int, kind: Any) -> Any:
        return torch.empty(sizes, dtype=kind, device="meta")

    batch = Batch(
        tokens=empty(streams, kind=torch.int64),
        slots=empty(1, kind=torch.int64),
        cos_sin=empty(1, 2, 2, shape.rope_pairs, kind=torch.float32),
        unseen=empty(1, slots, kind=torch.bool),
    )
    cache = new_cache(shape, streams, slots, torch.device("meta"))
    counter = _counter()
    with counter, torch.no_grad():
        together = streams_together(shape, 1, slots)
        forward(network, batch, cache, whole_blocks(Parameters().sinks), together)
    return Counts(
        f"{streams:,} streams, PyTorch's operations",
        streams,
        slots,
        counter.launches,
        counter.bytes,
        counter.int8,
        counter.float32,
    )


def count_fused(shape: Shape, streams: int, positions: int, slots: int) -> Counts:
    """Count a batch of fused kernels, from what `fused/forward.py` says that they read and write.

    Keys and values are read from memory once a stream: the positions of a batch share them. The
    scores of a program are read from the cache that it has written them into.
    """
    rows = streams * positions
    attended = shape.heads * shape.head_size
    outputs = attended + 2 * shape.kv_heads * shape.head_size + 2 * shape.width + 2 * shape.ffn_size
    inputs = 2 * shape.width + attended + shape.ffn_size
    weights = shape.layers * (
        shape.width * (outputs - shape.width) + shape.width * (attended + shape.ffn_size)
        - shape.width * shape.width
    ) + shape.width * shape.vocabulary  # fmt: skip
    heads = shape.kv_heads << (shape.heads // shape.kv_heads - 1).bit_length()
    tile = max(16, 2 * heads // shape.kv_heads)
    cached = streams * 2 * shape.kv_heads * slots * (shape.head_size + 4)
    # Sums of two limbs of int32 and limbs, each written and read; scores and a few rows of float32.
    of_row = 16 * outputs + 4 * inputs + 4 * heads * slots + 16 * shape.width + 8 * attended
    of_row += (2 * tile * shape.kv_heads + 4 * shape.heads) * shape.head_size
    # Sums of the logits, and these, copied once on the device.
    of_logits = (16 + 4 + 8) * shape.vocabulary
    products = 2 * tile * slots * shape.head_size * shape.kv_heads * shape.layers
    return Counts(
        f"{streams:,} streams, fused, {positions} position" + "s" * (positions > 1),
        rows,
        slots,
        10 * shape.layers + 10,
        weights + shape.layers * (cached + rows * of_row) + rows * of_logits,
        2 * rows * (2 * weights + products),
        integer=rows * OPERATIONS_PER_SCORE * heads * slots * shape.layers,
    )


def _counter() -> Any:
    """A mode of PyTorch that counts operations."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_leaves

    def size(tensor: Any) -> int:
        # What is expanded lies in memory once.
        lengths = zip(tensor.shape, tensor.stride(), strict=True)
        there = [n for n, step in lengths if step]
        return int(torch.Size(there).numel()) * int(tensor.element_size())

    class Counter(TorchDispatchMode):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.launches = self.bytes = self.int8 = self.float32 = 0

        def __torch_dispatch__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            result = func(*args, **(kwargs or {}))
            if func.is_view or func.overloadpacket.__name__ in ("empty", "new_empty", "alias"):
                return result
            inputs = [x for x in tree_leaves((args, kwargs)) if isinstance(x, torch.Tensor)]
            outputs = [x for x in tree_leaves(result) if isinstance(x, torch.Tensor)]
            self.launches += 1
            self.bytes += sum(map(size, inputs)) + sum(map(size, outputs))
            name = func.overloadpacket.__name__
            if name in ("_int_mm", "bmm"):
                products = 2 * outputs[0].numel() * inputs[0].shape[-1]
                if name == "bmm":
                    self.float32 += products
                else:
                    self.int8 += products
            return result

    return Counter()


def arithmetic_section(shape: Shape, counts: Sequence[Counts]) -> str:
    """Counts and the speeds that follow, as a section of Markdown."""
    rows = []
    for c in counts:
        numbers = [
            f"{c.slots:,}",
            f"{c.launches:,}",
            f"{c.bytes / 1e9:.2f}",
            f"{c.int8 / 1e12:.2f}",
        ]
        speeds = []
        for gpu in GPUS:
            seconds = c.seconds(gpu)
            rate = c.rows / seconds
            speeds += [
                f"{1000 * seconds:.1f}", f"{rate:,.0f}", f"{rate * BYTES_PER_TOKEN / 1e6:.2f}"
            ]  # fmt: skip
        rows.append([c.what, *numbers, *speeds])
    names = " | ".join(f"{gpu.name}, ms | tokens/s | MB/s" for gpu in GPUS)
    most = [gpu.link * MEMORY_SHARE / (4 * shape.vocabulary) for gpu in GPUS]
    of_link = ", ".join(
        f"{rate:,.0f} tokens a second with the {gpu.name}"
        for gpu, rate in zip(GPUS, most, strict=True)
    )
    return (
        "## By arithmetic\n\n"
        f"{shape.layers} layers, width {shape.width}, {shape.vocabulary:,} tokens "
        "(`nacrith bench device --arithmetic`). Not counted: logits on their way to the "
        f"processor, which are {of_link} at most, beside the next batch.\n\n"
        + table(f"batch | slots | launches | GB | int8, T | {names}", rows)
    )
