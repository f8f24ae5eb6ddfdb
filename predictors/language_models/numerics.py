"""The numerics record: what two machines must share to get the same logits."""

import os
import platform
from dataclasses import dataclass

# What can be told of the machine and the library.
FEATURES = (
    "SSE3", "SSSE3", "AVX", "AVX_VNNI", "AVX2", "F16C", "FMA", "BMI2",
    "AVX512", "AVX512_VBMI", "AVX512_VNNI", "AVX512_BF16", "AMX_INT8",
    "NEON", "ARM_FMA", "FP16_VA", "DOTPROD", "MATMUL_INT8", "SVE", "SME",
    "RISCV_V", "VSX", "VXE", "WASM_SIMD", "LLAMAFILE", "OPENMP", "REPACK",
    "ACCELERATE", "KLEIDIAI", "CUDA", "METAL", "VULKAN", "BLAS",
)  # fmt: skip

MACHINES = ("other", "x86_64", "aarch64", "arm64", "AMD64", "riscv64", "ppc64le", "s390x")


def this_machine() -> str:
    """This machine's architecture as one of `MACHINES`."""
    name = platform.machine()
    return name if name in MACHINES else "other"


def available_threads() -> int:
    """Number of CPUs this process may use: those it may run on, or its share of them
    that whoever started it has put into the variable NACRITH_THREADS."""
    share = os.environ.get("NACRITH_THREADS", "")
    if share.isdigit() and int(share):
        return int(share)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True)
class Numerics:
    """What a backend's logits depend on besides the model file and the tokens.

    Attributes:
        backend: "llama.cpp", "exact" or "transformers".
        version: version of the library that computes.
        machine: one of `MACHINES`.
        features: instruction sets and kernels in use, names of `FEATURES`.
        threads: number of threads of one step.
        device: where it runs; empty for the CPU.
    """

    backend: str
    version: str
    machine: str
    features: frozenset[str]
    threads: int
    device: str = ""

    @property
    def is_exact(self) -> bool:
        """Do the logits depend on nothing but the version?"""
        return self.backend == "exact"


def exact_numerics(version: str) -> Numerics:
    """The record of the exact backend: only its specification's version matters."""
    return Numerics("exact", version, "other", frozenset(), threads=1)
