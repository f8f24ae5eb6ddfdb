"""Environment variables: which ones there are, and what they must look like."""

import os
import re
from typing import NamedTuple

from nacrith.errors import EnvironmentVariableError
from nacrith.system.own_packages import check_packages


class Variable(NamedTuple):
    """Something that a user can set.

    Attributes:
        meaning: in a sentence or two.
        usual: what holds if it is not set.
        pattern: what its value must look like, None = anything will do; and in `words`.
    """

    meaning: str
    usual: str = ""
    pattern: str | None = None
    words: str = ""


VARIABLES = {
    "NACRITH_LEVEL": Variable(
        "Level, from 1 to 9, where no option says otherwise; explain, which shows what the model "
        "does, takes 6 in place of 1 to 3.",
        "6",
        r"[1-9]?",
        "a level from 1 to 9",
    ),
    "NACRITH_THREADS": Variable(
        "Threads to use, where -T does not say otherwise, 0 for all; of Python's interface too.",
        "the processors that the process may use",
        r"(0*[0-9]{1,4})?",
        "a number of threads from 0 to 9999",
    ),
    "NACRITH_MEMLIMIT": Variable(
        "Memory that commands take at most, as --memlimit: 800M, 2G, 50%. Not with --cluster.",
        "no limit",
        r"(?i)(\s*([0-9]{1,19} ?[kmgt]?(i?b)?|[1-9][0-9]? ?%|100 ?%|max)\s*)?",
        "an amount of memory such as 800M, 2G or 50%",
    ),
    "NACRITH_MODELS": Variable(
        "Folder of models that were fetched or imported (nacrith models).",
        "$XDG_DATA_HOME/nacrith/models or ~/.local/share/nacrith/models",
    ),
    "NACRITH_CORPORA": Variable(
        "Folder of the files that benchmarks and training read; or several, separated like those "
        "of PATH.",
        "fetched into ~/.cache/nacrith/corpora",
    ),
    "NUMBA_CACHE_DIR": Variable(
        "Folder where compiled kernels are kept.",
        "beside the package, or else ~/.cache/nacrith/kernels",
    ),
    "XDG_CACHE_HOME": Variable(
        "Folder of caches: nacrith/ in it has unpacked models, kernels and corpora.", "~/.cache"
    ),
    "XDG_DATA_HOME": Variable("Folder of data: nacrith/models in it has models.", "~/.local/share"),
    "CUDA_VISIBLE_DEVICES": Variable("GPUs that may be used, as CUDA takes them.", "all"),
    "NUMBA_NUM_THREADS": Variable(
        "Threads that the compiler's library may start.",
        "all",
        r"0*[1-9][0-9]{0,3}",
        "a number of threads from 1 to 9999",
    ),
    # The compiler ends the process at a name without a sign.
    "NUMBA_CPU_FEATURES": Variable(
        "Instruction sets that kernels are compiled for, such as +avx2,-fma.",
        "those of the processor",
        r"([+-][\w.][\w.-]*(,[+-][\w.][\w.-]*)*)?",
        "such as +avx2,-fma",
    ),
    # Kernels use atomic instructions and integers that wrap around, which Python has not.
    "NUMBA_DISABLE_JIT": Variable(
        "Must be 0: nothing runs without compiled kernels.",
        "0",
        r"0*",
        "0, as the kernels must be compiled",
    ),
}
"""By name, those first that most users have a use for; docs/environment.md and the man page show
them. The libraries have more of their own."""


def check_environment() -> None:
    """To be called before libraries are imported, which some values end with a traceback.

    Raises:
        EnvironmentVariableError: a variable has a value that can't be used.
        ImportNameError: another module has the name of one of nacrith's packages.
    """
    check_packages("coder", "predictors")
    for name, variable in VARIABLES.items():
        value = os.environ.get(name)
        if value is None or variable.pattern is None:
            continue
        if not re.fullmatch(variable.pattern, value):
            raise EnvironmentVariableError(
                f"the environment variable {name} is {value!r}; it must be {variable.words}; "
                f"change it, or unset it"
            )
