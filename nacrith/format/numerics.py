"""What a file records of the machine that computed its logits."""

from dataclasses import dataclass, fields

from nacrith.backends import EXACT
from nacrith.plural import counted

# Frozen numbers. Append only.
MACHINES = {
    0: "other", 1: "x86_64", 2: "aarch64", 3: "arm64", 4: "AMD64", 5: "riscv64", 6: "ppc64le",
    7: "s390x",
}  # fmt: skip
FEATURES = {
    0: "SSE3", 1: "SSSE3", 2: "AVX", 3: "AVX_VNNI", 4: "AVX2", 5: "F16C", 6: "FMA", 7: "BMI2",
    8: "AVX512", 9: "AVX512_VBMI", 10: "AVX512_VNNI", 11: "AVX512_BF16", 12: "AMX_INT8",
    13: "NEON", 14: "ARM_FMA", 15: "FP16_VA", 16: "DOTPROD", 17: "MATMUL_INT8", 18: "SVE",
    19: "SME", 20: "RISCV_V", 21: "VSX", 22: "VXE", 23: "WASM_SIMD", 24: "LLAMAFILE",
    25: "OPENMP", 26: "REPACK", 27: "ACCELERATE", 28: "KLEIDIAI", 29: "CUDA", 30: "METAL",
    31: "VULKAN", 32: "BLAS",
}  # fmt: skip
"""Bits of the mask of instruction sets and kernels."""


@dataclass(frozen=True)
class NumericsRecord:
    """What a backend's logits depend on besides the model file and the tokens.

    Attributes:
        backend: one of `nacrith.backends.NUMBERS`.
        version: version of the library that computes.
        machine: one of `MACHINES`.
        features: instruction sets and kernels in use, of `FEATURES`.
        threads: number of threads of one step.
        device: where it runs; empty for the CPU.
    """

    backend: str
    version: str
    machine: str = "other"
    features: frozenset[str] = frozenset()
    threads: int = 1
    device: str = ""

    def differences(self, here: "NumericsRecord") -> list[str]:
        """Say in words where this record (of a file) and that of `here` differ."""
        found = []
        for field in fields(self):
            theirs, ours = getattr(self, field.name), getattr(here, field.name)
            if theirs == ours:
                continue
            if field.name == "features":
                if theirs - ours:
                    found.append(f"the file needs {' '.join(sorted(theirs - ours))}")
                if ours - theirs:
                    found.append(f"this machine adds {' '.join(sorted(ours - theirs))}")
            else:
                found.append(f"{field.name}: file {theirs or '-'}, here {ours or '-'}")
        return found

    @property
    def is_exact(self) -> bool:
        """Do the logits depend on nothing but the version?"""
        return self.backend == EXACT

    def __str__(self) -> str:
        if self.is_exact:
            return f"exact, version {self.version}: the same on every machine"
        device = f", {self.device}" if self.device else ""
        return (
            f"{self.backend} {self.version}, {self.machine}{device}, "
            f"{counted(self.threads, 'thread')}, {' '.join(sorted(self.features))}"
        )
