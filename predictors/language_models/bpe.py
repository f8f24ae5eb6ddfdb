"""Byte-level BPE (Sennrich et al. 2016, Radford et al. 2019) with tables that are not made anew.

The library `tokenizers` takes 0.1 s to make its own tables of a vocabulary. These are arrays,
which can be mapped into memory. Only the cutting into words is the library's.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coder.kernels import njit
from predictors.language_models.byte_level import CHARACTER_OF_BYTE
from predictors.language_models.pre_tokenizers import WHOLE_WORDS, cuts
from predictors.language_models.vocabulary import Tokenize

_MAX_WORD = 1024
"""Bytes of a word: merging takes the square of them. A text of longer ones is left to others."""

_TOKEN_BITS = 32
"""Of the right token in the key of a pair."""

_NO_TOKEN = -1


class Bpe(NamedTuple):
    """The M merges of a vocabulary.

    Attributes:
        cut: bytes of the name in `PRE_TOKENIZERS` of how words are cut, uint8.
        token_of_byte: [256] int32; -1 = none.
        pairs: [M] int64, ascending: the left token · 2**32 + the right one.
        ranks: [M] int32; of two merges the one with the lower rank comes first.
        merged: [M] int32, the tokens made of the pairs.
    """

    cut: npt.NDArray[np.uint8]
    token_of_byte: npt.NDArray[np.int32]
    pairs: npt.NDArray[np.int64]
    ranks: npt.NDArray[np.int32]
    merged: npt.NDArray[np.int32]


def new_bpe(cut: str, token_of: Mapping[str, int], merges: Iterable[tuple[str, str]]) -> Bpe | None:
    """Tables of merges; None if merges alone do not spell as this vocabulary does.

    Args:
        cut: a name in `PRE_TOKENIZERS`.
        token_of: tokens by piece, in the byte-level alphabet.
        merges: pairs of pieces, those to be merged first at the beginning.
    """
    if cut in WHOLE_WORDS:
        return None
    found: dict[int, tuple[int, int]] = {}
    for rank, (left, right) in enumerate(merges):
        # Of a pair that is named twice, the library takes the last.
        found[token_of[left] << _TOKEN_BITS | token_of[right]] = rank, token_of[left + right]
    pairs = sorted(found)
    return Bpe(
        np.frombuffer(bytearray(cut, "ascii"), dtype=np.uint8),
        np.array([token_of.get(c, _NO_TOKEN) for c in CHARACTER_OF_BYTE], dtype=np.int32),
        np.array(pairs, dtype=np.int64),
        np.array([found[pair][0] for pair in pairs], dtype=np.int32),
        np.array([found[pair][1] for pair in pairs], dtype=np.int32),
    )


def tokenizer(bpe: Bpe, otherwise: Tokenize) -> Tokenize:
    """A tokenizer of UTF-8 with these tables.

    Args:
        otherwise: for texts with words that are too long.
    """
    from tokenizers.pre_tokenizers import Sequence as InOrder

    words_of = InOrder(cuts(bpe.cut.tobytes().decode("ascii"))).pre_tokenize_str

    def tokenize(text: bytes) -> Sequence[int] | npt.NDArray[np.int32]:
        words = [word.encode() for word, _ in words_of(text.decode("utf-8", errors="replace"))]
        lengths = np.array([len(word) for word in words], dtype=np.int64)
        if len(words) and lengths.max() > _MAX_WORD:
            return otherwise(text)
        tokens = bpe.token_of_byte[np.frombuffer(b"".join(words), dtype=np.uint8)]
        tokens = tokens[: _merge_words(tokens, lengths, bpe.pairs, bpe.ranks, bpe.merged)]
        return tokens[tokens != _NO_TOKEN]

    return tokenize


@njit(cache=True)
def _merge_words(
    tokens: npt.NDArray[np.int32],
    lengths: npt.NDArray[np.int64],
    pairs: npt.NDArray[np.int64],
    ranks: npt.NDArray[np.int32],
    merged: npt.NDArray[np.int32],
) -> int:
    """Merge the tokens of each word, in place; the number of tokens that are left."""
    # By position in the word: the place of the merge of this token and the next one.
    places = np.empty(_MAX_WORD, dtype=np.int64)
    begin = written = 0
    for word in range(len(lengths)):
        n = lengths[word]
        part = tokens[begin : begin + n]
        begin += n
        for i in range(n - 1):
            places[i] = _place_of(part[i], part[i + 1], pairs)
        while True:
            best = -1
            for i in range(n - 1):
                place = places[i]
                if place >= 0 and (best < 0 or ranks[place] < ranks[places[best]]):
                    best = i
            if best < 0:
                break
            part[best] = merged[places[best]]
            n -= 1
            for i in range(best + 1, n):
                part[i] = part[i + 1]
                places[i] = places[i + 1]
            if best > 0:
                places[best - 1] = _place_of(part[best - 1], part[best], pairs)
            if best < n - 1:
                places[best] = _place_of(part[best], part[best + 1], pairs)
        for i in range(n):
            tokens[written + i] = part[i]
        written += n
    return written


@njit(cache=True)
def _place_of(left: int, right: int, pairs: npt.NDArray[np.int64]) -> int:
    """Where a pair of tokens is among the pairs; -1 = nowhere."""
    if left < 0 or right < 0:
        return -1
    pair = np.int64(left) << _TOKEN_BITS | np.int64(right)
    low, high = 0, len(pairs)
    while low < high:
        middle = (low + high) // 2
        if pairs[middle] < pair:
            low = middle + 1
        else:
            high = middle
    return low if low < len(pairs) and pairs[low] == pair else -1
