"""How much memory an object keeps."""

import gc
import sys
from types import FunctionType, ModuleType

import numpy as np


def reachable_bytes(root: object) -> int:
    """Bytes of everything that is reachable from `root`, but for modules, classes and code.

    An array counts with all of its elements, touched or not; views of it count once.
    """
    seen: dict[int, object] = {}
    waiting = [root]
    total = 0
    while waiting:
        found = waiting.pop()
        while isinstance(found, np.ndarray) and found.base is not None:
            found = found.base
        if id(found) in seen or isinstance(found, ModuleType | type | FunctionType):
            continue
        # Kept, so that no other object gets its id.
        seen[id(found)] = found
        total += found.nbytes if isinstance(found, np.ndarray) else sys.getsizeof(found)
        waiting.extend(gc.get_referents(found))
    return total
