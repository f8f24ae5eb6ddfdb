"""Which machine's calls a part of binary data has, and the transform of them."""

from enum import IntEnum

import numpy as np
import numpy.typing as npt

from nacrith.transforms import word_calls, x86_calls
from nacrith.transforms.word_calls import ARM, ARM64, POWERPC, SPARC

Bytes = npt.NDArray[np.uint8]


class Calls(IntEnum):
    """Whose calls have absolute targets while a part is coded, as files number it."""

    NONE = 0
    X86 = 1
    SPARC = 2
    POWERPC = 3
    ARM = 4
    ARM64 = 5


_OF_WORDS = {
    Calls.SPARC: SPARC,
    Calls.POWERPC: POWERPC,
    Calls.ARM: ARM,
    Calls.ARM64: ARM64,
}


def find_calls(data: Bytes) -> Calls:
    """The machine of whose code [n] uint8 is, if calls are worth it.

    Functions are called again and again, distances seldom repeat.
    """
    found = {calls: word_calls.targets(data, machine) for calls, machine in _OF_WORDS.items()}
    found[Calls.X86] = x86_calls.targets(data)
    worth = [calls for calls, numbers in found.items() if _pays(len(data), *numbers)]
    return max(worth, key=lambda calls: found[calls][1] - found[calls][2], default=Calls.NONE)


# So many calls must be found, one in so many bytes.
_MIN_CALLS, _MAX_BYTES_PER_CALL = 16, 1000
# And their absolute targets must be fewer than this share of the relative ones.
_FEWER = 0.9


def _pays(size: int, n: int, relative: int, absolute: int) -> bool:
    dense = n >= max(_MIN_CALLS, size // _MAX_BYTES_PER_CALL)
    return dense and absolute < _FEWER * relative


def to_absolute(data: Bytes, calls: Calls) -> None:
    """Transform [n] uint8 in place."""
    if calls == Calls.X86:
        x86_calls.to_absolute(data)
    elif calls:
        word_calls.to_absolute(data, _OF_WORDS[calls])


def to_relative(data: Bytes, calls: Calls) -> None:
    """Inverse of `to_absolute`."""
    if calls == Calls.X86:
        x86_calls.to_relative(data)
    elif calls:
        word_calls.to_relative(data, _OF_WORDS[calls])
