"""Bytes ↔ symbols, exactly, for any bytes at all.

A *symbol* is an index into the vocabulary sorted by spelling: all symbols that
begin with a given prefix are one contiguous range of the CDF. Every symbol
spells at least one byte and every single byte has a symbol, so every byte
string can be spelled. A byte for which the model has no token borrows a control
token, which never spells text: the token supplies the logit and stands for the
byte in the model's context.

Control tokens appearing as text in the input ("<|im_start|>") are ordinary
bytes here: the tokenizer is told not to look for them, and what it returns is
compared with the input, whatever it does.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from predictors.language_models.trie import Trie

# The pretraining separator begins a text better than an instruction-tuned
# model's BOS (a chat marker): 0.3 to 1 % fewer bits on the first 1,000 tokens.
START_TEXT = b"<|endoftext|>"

# The tokenizer sees at most this many bytes at once, which bounds its memory
# and its worst case. A cut costs a fraction of a token.
_PIECE = 1 << 16

# Below this length a stretch that the tokenizer does not return as it was is
# spelled by the longest matching symbols instead of being halved again.
_GREEDY = 64

_NO_SYMBOL = -1
"""Of a token that spells nothing."""

Arrays = dict[str, npt.NDArray[Any]]
Tokenize = Callable[[bytes], Sequence[int] | npt.NDArray[np.int32]]
"""UTF-8, perhaps with a part of a character at the ends → tokens. Need not be lossless."""

_INVALID = re.compile("([\udc80-\udcff]+)")


class Vocabulary:
    """The alphabet that is coded, and how bytes are spelled in it.

    Attributes:
        token_of_symbol: [A] int32, the model's token behind each symbol.
        offsets: [A] int32 in 2**-16 bit, added to the score of a symbol. Zero
            but where several bytes share one borrowed token.
        lengths: [A] int32, bytes of each symbol.
        start_token: fed as the first token of every stream.
    """

    def __init__(
        self,
        token_spellings: Sequence[bytes | None],
        tokenize: Tokenize,
        start_token: int,
    ) -> None:
        """
        Args:
            token_spellings: bytes of each token id; None or empty for tokens
                that never spell text (control tokens).
            tokenize: the model's own tokenizer.
            start_token: token id that begins a text for this model.
        """
        token_of: dict[bytes, int] = {}
        spare = []
        for token, spelling in enumerate(token_spellings):
            if spelling:
                token_of.setdefault(spelling, token)
            elif token != start_token:
                spare.append(token)
        missing = [b for b in (bytes([i]) for i in range(256)) if b not in token_of]
        spare = spare or [start_token]
        for i, byte in enumerate(missing):
            token_of[byte] = spare[i % len(spare)]
        sharing = -(-len(missing) // len(spare))
        borrowed = set(missing)

        spellings = sorted(token_of)
        symbol_of = {s: i for i, s in enumerate(spellings)}
        of_tokens = [symbol_of[s] if s else _NO_SYMBOL for s in token_spellings]
        # log2 of a count by bit length: an integer, equal everywhere.
        share = -(max(sharing - 1, 0).bit_length() << 16)
        self._fill(
            tokenize,
            {
                "start": np.array([start_token], dtype=np.int32),
                "token_of_symbol": np.array([token_of[s] for s in spellings], dtype=np.int32),
                "symbol_of_token": np.array(of_tokens, dtype=np.int32),
                "offsets": np.array(
                    [share if s in borrowed else 0 for s in spellings], dtype=np.int32
                ),
                "missing": np.frombuffer(b"".join(missing), dtype=np.uint8),
                "spelling": np.frombuffer(b"".join(spellings), dtype=np.uint8),
                "begin": np.cumsum([0, *map(len, spellings)], dtype=np.int32),
            },
        )

    def _fill(self, tokenize: Tokenize, arrays: Arrays) -> None:
        """Take over what is in arrays."""
        self.tokenize = tokenize
        self._arrays = arrays
        self._spelling, self._begin = arrays["spelling"], arrays["begin"]
        self.start_token = int(arrays["start"][0])
        self.token_of_symbol = arrays["token_of_symbol"]
        self.offsets = arrays["offsets"]
        self.lengths = np.diff(self._begin)
        self._symbol_of_token = arrays["symbol_of_token"]
        # Alternatives of nothing would match everywhere: this matches nowhere.
        missing = [re.escape(bytes([byte])) for byte in arrays["missing"].tolist()]
        self._missing = re.compile(b"(?:" + (b"|".join(missing) or b"(?!)") + b")+")
        self._longest = int(self.lengths.max())

    @cached_property
    def trie(self) -> Trie:
        """The symbols as leaves of a binary trie; made once."""
        return Trie(self.spellings)

    def to_arrays(self) -> Arrays:
        """All but the tokenizer, for `from_arrays`."""
        trie = {f"trie.{name}": array for name, array in self.trie.to_arrays().items()}
        return self._arrays | {name: trie[name] for name in trie if name[5:] not in self._arrays}

    @classmethod
    def from_arrays(cls, arrays: Arrays, tokenize: Tokenize) -> "Vocabulary":
        """The vocabulary of `to_arrays`, with its tokenizer."""
        vocabulary = cls.__new__(cls)
        vocabulary._fill(tokenize, arrays)
        trie = {name[5:]: array for name, array in arrays.items() if name.startswith("trie.")}
        shared = {name: arrays[name] for name in ("spelling", "begin")}
        vars(vocabulary)["trie"] = Trie.from_arrays(trie | shared)
        return vocabulary

    @cached_property
    def digest(self) -> str:
        """A hash of tokens and spellings, 32 hexadecimal digits."""
        digest = hashlib.blake2b(digest_size=16)
        for name in ("token_of_symbol", "begin", "spelling"):
            digest.update(self._arrays[name].data)
        return digest.hexdigest()

    @cached_property
    def spellings(self) -> list[bytes]:
        """The bytes of each symbol, strictly ascending. A symbols."""
        spelled = self._spelling.tobytes()
        return [spelled[begin:end] for begin, end in pairwise(self._begin.tolist())]

    @cached_property
    def _symbol_of(self) -> dict[bytes, int]:
        """Symbols by spelling: few texts need one."""
        return {s: i for i, s in enumerate(self.spellings)}

    def __len__(self) -> int:
        return len(self.token_of_symbol)

    def decode(self, symbols: npt.NDArray[np.int32]) -> bytes:
        """Return the bytes that `symbols` ([n] int32) spell."""
        begins, ends = self._begin[symbols].tolist(), self._begin[1:][symbols].tolist()
        spelled = self._spelling.data
        return b"".join([spelled[begin:end] for begin, end in zip(begins, ends, strict=True)])

    def encode(self, data: bytes) -> npt.NDArray[np.int32]:
        """Return symbols, [n] int32, that spell `data`; any bytes are allowed.

        Text is spelled as the model's own tokenizer does; bytes that are not
        valid UTF-8 or have no token are spelled one by one.
        """
        symbols: list[int] = []
        for is_text, stretch in self._stretches(data):
            if is_text:
                for piece in _pieces(stretch):
                    self._encode_text(piece, symbols)
            else:
                symbols.extend(self._symbol_of[stretch[i : i + 1]] for i in range(len(stretch)))
        return np.array(symbols, dtype=np.int32)

    def _stretches(self, data: bytes) -> Iterator[tuple[bool, bytes]]:
        """Yield (is_text, bytes): valid UTF-8 of bytes that have tokens, and the rest."""
        for is_utf8, stretch in _utf8_stretches(data):
            if not is_utf8:
                yield False, stretch
                continue
            position = 0
            for match in self._missing.finditer(stretch):
                if match.start() > position:
                    yield True, stretch[position : match.start()]
                yield False, match.group()
                position = match.end()
            if position < len(stretch):
                yield True, stretch[position:]

    def _encode_text(self, text: bytes, symbols: list[int]) -> None:
        found = self._symbol_of_token[np.asarray(self.tokenize(text), dtype=np.int64)]
        if (found >= 0).all() and self.decode(found) == text:
            symbols.extend(found.tolist())
        elif len(text) <= _GREEDY:
            self._encode_greedily(text, symbols)
        else:
            middle = _character_start(text, len(text) // 2)
            self._encode_text(text[:middle], symbols)
            self._encode_text(text[middle:], symbols)

    def _encode_greedily(self, text: bytes, symbols: list[int]) -> None:
        position = 0
        while position < len(text):
            for length in range(min(self._longest, len(text) - position), 0, -1):
                symbol = self._symbol_of.get(text[position : position + length])
                if symbol is not None:
                    symbols.append(symbol)
                    position += length
                    break


def _utf8_stretches(data: bytes) -> Iterator[tuple[bool, bytes]]:
    """Yield (is_utf8, bytes), maximal valid runs and the bytes between them."""
    # One linear pass: the error handler marks every invalid byte as a lone surrogate.
    text = data.decode("utf-8", errors="surrogateescape")
    for i, run in enumerate(_INVALID.split(text)):
        if run:
            yield i % 2 == 0, run.encode("utf-8", errors="surrogateescape")


def _character_start(text: bytes, position: int) -> int:
    """The nearest position ≤ `position` (but > 0) where a UTF-8 character starts."""
    while position > 1 and text[position] & 0xC0 == 0x80:
        position -= 1
    return position


def _pieces(text: bytes) -> Iterator[bytes]:
    """Cut valid UTF-8 into pieces of at most `_PIECE` bytes, after a newline if possible."""
    position = 0
    while len(text) - position > _PIECE:
        end = text.rfind(b"\n", position + 1, position + _PIECE) + 1
        if end <= position:
            end = _character_start(text, position + _PIECE)
        yield text[position:end]
        position = end
    if position < len(text):
        yield text[position:]
