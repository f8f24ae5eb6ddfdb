"""The sequences of validation documents that costs are measured on."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from nacrith.correction.documents import Tokens


def sequences(documents: Sequence[Tokens], n: int, length: int) -> npt.NDArray[np.int64]:
    """n sequences of `length` tokens, [n, length] int64, evenly from all documents.

    Of more than n documents every so many-th has one.
    """
    usable = [tokens for tokens in documents if len(tokens) >= length]
    if len(usable) > n:
        usable = [usable[i * len(usable) // n] for i in range(n)]
    pieces = []
    for i in range(n):
        tokens = usable[i % len(usable)]
        of_document = (n - i % len(usable) + len(usable) - 1) // len(usable)
        place = (i // len(usable) + 0.5) / of_document
        begin = int((len(tokens) - length) * place)
        pieces.append(tokens[begin : begin + length])
    return np.stack(pieces).astype(np.int64)
