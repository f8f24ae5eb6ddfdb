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
"""Of English text with the default model: alice29.txt has 152,089 bytes and 36,400 tokens or so."""


@dataclass(frozen=True)
class Gpu:
    """What a data sheet says, and what is assumed to be reached of it.

    Attributes:
        memory: bytes a second. int8: products and sums a second (2 for each weight), dense.
        float32: the same outside of tensor cores.
        launch: seconds between the starts of two small operations of a CUDA graph.
    """

    name: str
    memory: float
    int8: float
    float32: float
    launch: float = 1.5e-6


GPUS = (
    Gpu("H100 SXM", 3.35e12, 1979e12, 67e12),
    Gpu("RTX 4090", 1.008e12, 660e12, 82.6e12),
)
"""NVIDIA's data sheets: H100 (2023), Ada architecture white paper (2022)."""

MEMORY_SHARE = 0.7
"""Of the memory's bandwidth, by operations on large tensors; an assumption."""

PRODUCT_SHARE = 0.4
"""Of the peak, by products of matrices of this size; an assumption."""


@dataclass(frozen=True)
class Counts:
    """Of one step of S streams.

    Attributes:
        launches: operations that compute or copy. bytes: that they read and write.
        int8: products and sums of int8, float32: of products of float32.
    """

    streams: int
    slots: int
    launches: int
    bytes: int
    int8: int
    float32: int

    def seconds(self, gpu: Gpu) -> float:
        """A step takes what its launches take, or its bytes and products, if that is more."""
        moving = self.bytes / (gpu.memory * MEMORY_SHARE)
        products = self.int8 / (gpu.int8 * PRODUCT_SHARE)
        products += self.float32 / (gpu.float32 * PRODUCT_SHARE)
        return max(self.launches * gpu.launch, moving + products)


def count_steps(
    streams: Sequence[int], window: int, model: Path | None = None
) -> tuple[Shape, list[Counts]]:
    """Count steps of so many streams each, a quarter into the window and when it is full.

    Args:
        model: a GGUF; None = the default one.

    Raises:
        NacrithError: the model can't be read, or PyTorch is missing.
    """
    with translated():
        from predictors.language_models.exact.model_data import model_data
        from predictors.language_models.exact_torch.network import network_on
        from predictors.language_models.exact_torch.torch_module import torch

        data = model_data(model or default_model().path, 1)
        network = network_on(data, torch.device("meta"), uses_int8=True)
    depths = (window // 4, window + BLOCK)
    return data.shape, [_count(network, n, slots) for n in streams for slots in depths]


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
    return Counts(streams, slots, counter.launches, counter.bytes, counter.int8, counter.float32)


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
        speeds = []
        for gpu in GPUS:
            rate = c.streams / c.seconds(gpu)
            speeds += [f"{rate:,.0f}", f"{rate * BYTES_PER_TOKEN / 1e6:.2f}"]
        rows.append(
            [
                f"{c.streams:,}, {c.slots:,} slots",
                f"{c.launches:,}",
                f"{c.bytes / 1e9:.2f}",
                f"{c.int8 / 1e12:.2f}",
                f"{c.float32 / 1e12:.2f}",
                *speeds,
            ]
        )
    names = " | ".join(f"{gpu.name}, tokens/s | MB/s" for gpu in GPUS)
    return (
        "## Steps by arithmetic\n\n"
        f"A model of {shape.layers} layers, width {shape.width}, {shape.vocabulary:,} tokens. "
        "`nacrith bench device --arithmetic`.\n\n"
        + table(f"streams | launches | GB | int8, T | float32, T | {names}", rows)
    )
