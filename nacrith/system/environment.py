"""Environment variables whose values end a library with a traceback, or mislead it."""

import os
import re

from nacrith.errors import EnvironmentVariableError
from nacrith.system.own_packages import check_packages

# Name: what the value must look like, and in words.
_VALUES = {
    "NACRITH_LEVEL": (r"[1-9]?", "a level from 1 to 9"),
    "NACRITH_THREADS": (r"(0*[1-9][0-9]{0,3})?", "a number of threads from 1 to 9999"),
    "NUMBA_NUM_THREADS": (r"0*[1-9][0-9]{0,3}", "a number of threads from 1 to 9999"),
    # The compiler ends the process at a name without a sign.
    "NUMBA_CPU_FEATURES": (r"([+-][\w.][\w.-]*(,[+-][\w.][\w.-]*)*)?", "such as +avx2,-fma"),
    # Kernels use atomic instructions and integers that wrap around, which Python has not.
    "NUMBA_DISABLE_JIT": (r"0*", "0, as the kernels must be compiled"),
}


def check_environment() -> None:
    """To be called before libraries are imported.

    Raises:
        EnvironmentVariableError: a variable has a value that can't be used.
        ImportNameError: another module has the name of one of nacrith's packages.
    """
    check_packages("coder", "predictors")
    for name, (pattern, words) in _VALUES.items():
        value = os.environ.get(name)
        if value is not None and not re.fullmatch(pattern, value):
            raise EnvironmentVariableError(
                f"the environment variable {name} is {value!r}; it must be {words}; "
                f"change it, or unset it"
            )
