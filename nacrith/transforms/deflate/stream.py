"""A whole deflate stream ↔ what differs from the prediction, by one loop for both directions."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from coder.range_coder import Coder
from nacrith.errors import FormatError
from nacrith.transforms.deflate.adaptive_numbers import Numbers
from nacrith.transforms.deflate.alphabet import N_CODES, N_LITERALS, STORED
from nacrith.transforms.deflate.bit_writer import BitWriter, count_symbols, is_spelled
from nacrith.transforms.deflate.block_header import HEADER, TYPE
from nacrith.transforms.deflate.effort import FIXED_CODES, Effort
from nacrith.transforms.deflate.header_coding import HeaderCoding
from nacrith.transforms.deflate.huffman import codes_of
from nacrith.transforms.deflate.inflate import Deflated, most_blocks
from nacrith.transforms.deflate.match_finder import INSERTED, KNOWN, Finder, insert, make_finder
from nacrith.transforms.deflate.token_coding import (
    CODE,
    COUNT,
    FILL,
    TOKEN_CODE_BITS,
    follow,
    new_contexts,
)

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Tokens = npt.NDArray[np.int32]

_AT_ONCE = 1 << 12
"""Tokens for which room is made in front of the kernel."""

_NOTHING = (np.zeros(5, dtype=np.int64), np.zeros(0, dtype=np.uint8))
"""Of a coder, where none is needed."""


@dataclass
class Corrections:
    """How many of a stream's decisions were not predicted: tokens, headers, ends of blocks."""

    tokens: int = 0
    headers: int = 0
    blocks: int = 0

    def __bool__(self) -> bool:
        return bool(self.tokens or self.headers or self.blocks)


class StreamCoding:
    """Codes the streams of a frame, one after the other."""

    def __init__(
        self, coder: Coder, decodes: bool, check: Callable[[], None] = lambda: None
    ) -> None:
        """
        Args:
            decodes: is the coder a decoder?
            check: called now and then; may raise.
        """
        self._coder = coder
        self._check = check
        self._decodes = decodes
        self._numbers = Numbers(coder)
        self._headers = HeaderCoding(coder)
        self._contexts = new_contexts()
        self._effort = Effort()

    @property
    def numbers(self) -> Numbers:
        """For what else is to be said of the streams."""
        return self._numbers

    @property
    def effort(self) -> Effort:
        """That was coded last."""
        return self._effort

    def code_effort(self, effort: Effort | None = None) -> Effort:
        """Code what a stream was made with, given when encoding; raises FormatError."""
        numbers, last = self._numbers, self._effort
        effort = effort or last
        if not numbers.flag("same effort", effort == last):
            effort = Effort(
                numbers.number("level", effort.level),
                numbers.number("strategy", effort.strategy),
                numbers.number("memory", effort.memory),
                numbers.number("hash bits", effort.hash_bits),
                numbers.number("window", effort.window),
                numbers.flag("free", effort.free),
            )
            if not effort.is_valid():
                raise FormatError("a frame is damaged: it names a level of deflate that is none")
        else:
            effort = last
        self._effort = effort
        return effort

    def code(
        self, content: Bytes, effort: Effort, given: Deflated | None = None
    ) -> tuple[bytes, Corrections]:
        """Code a stream.

        Args:
            content: [n] uint8, of the stream.
            given: the stream when encoding.

        Returns:
            The stream, and what of it was not predicted.

        Raises:
            FormatError: the file is damaged.
        """
        finder = make_finder(effort)
        writer = BitWriter()
        corrections = Corrections()
        place = first = 0
        for block in range(most_blocks(len(content))):
            size = int(given.sizes[block]) if given else 0
            header = given.headers[block] if given else None
            is_stored = header is not None and header[TYPE] == STORED
            tokens = np.zeros(0, dtype=np.int32)
            frequencies = np.zeros(N_CODES, dtype=np.int64)
            if self._numbers.flag("stored", is_stored):
                end = place + self._code_size("stored size", size, min(len(content) - place, 65535))
                header = np.zeros(HEADER, dtype=np.int64)
                lengths = np.zeros(N_CODES, dtype=np.uint8)
                insert(content, finder, int(finder.state[INSERTED]), end)
                finder.state[INSERTED] = end
                finder.state[KNOWN] = 0
                is_natural = True
            else:
                known = None
                if given:
                    known = given.tokens[first : first + size]
                    first += size
                end, tokens, finder, wrong, is_natural = self._code_tokens(
                    content, place, known, effort, finder
                )
                count_symbols(content, place, tokens, frequencies)
                header, lengths, as_predicted = self._code_header(frequencies, effort, header)
                corrections.tokens += wrong
                corrections.headers += not as_predicted
            corrections.blocks += not is_natural
            is_full = len(tokens) == effort.block_tokens
            at_end = end == len(content) and not is_full
            ends = given is not None and block == len(given.sizes) - 1
            is_last = self._numbers.flag("last at end" if at_end else "last", ends)
            corrections.blocks += given is not None and at_end != is_last
            writer.add(is_last, header, lengths, content, place, end, tokens, frequencies)
            place = end
            if is_last:
                break
        else:
            raise FormatError("a frame is damaged: a stream of deflate has no end")
        if place != len(content):
            raise FormatError("a frame is damaged: a stream of deflate ends too early")
        return writer.finish(), corrections

    def _code_header(
        self, frequencies: Ints, effort: Effort, given: Ints | None
    ) -> tuple[Ints, Bytes, bool]:
        """See `HeaderCoding.code`; every symbol that occurs has a code."""
        found = self._headers.code(frequencies, effort.strategy == FIXED_CODES, given)
        if found is None:
            raise FormatError("a frame is damaged: a block of deflate has no code")
        lengths = found[1]
        codes = np.zeros(N_CODES, dtype=np.int64)
        if (
            not is_spelled(frequencies, lengths)
            or not codes_of(lengths[:N_LITERALS], codes)
            or not codes_of(lengths[N_LITERALS:], codes)
        ):
            raise FormatError("a frame is damaged: a block of deflate lacks a code")
        return found

    def _code_size(self, name: str, size: int, most: int) -> int:
        size = self._numbers.number(name, size)
        if size > most:
            raise FormatError("a frame is damaged: a block of deflate is too long")
        return size

    def _code_tokens(
        self, content: Bytes, place: int, known: Tokens | None, effort: Effort, finder: Finder
    ) -> tuple[int, Tokens, Finder, int, bool]:
        """Code the tokens of a block.

        Returns:
            The place behind them, the tokens, the finder that goes on, how many tokens were not
            predicted, and whether the block ends where it was to.
        """
        left = len(content) - place
        natural = min(effort.block_tokens, left)
        counted = None
        is_natural = is_perfect = False
        if known is not None:
            counted = finder.copy()
            end, _, wrong = follow(
                _NOTHING,
                self._contexts,
                content,
                counted,
                place,
                known,
                0,
                len(known),
                COUNT,
                False,
            )
            full = len(known) == effort.block_tokens
            is_natural = full or (len(known) < effort.block_tokens and end == len(content))
            is_perfect = wrong == 0
        is_natural = self._numbers.flag("natural size", is_natural)
        n = natural
        if not is_natural:
            n = self._code_size("tokens", 0 if known is None else len(known), left)
        tokens: Tokens = np.zeros(n, dtype=np.int32)
        if known is not None:
            tokens[: len(known)] = known
        if self._numbers.flag("perfect", is_perfect):
            if counted is not None and known is not None:
                return int(end), known, counted, 0, is_natural
            t = 0
            while t < n and place < len(content):
                self._check()
                stop = min(n, t + _AT_ONCE)
                place, t, _ = follow(
                    _NOTHING, self._contexts, content, finder, place, tokens, t, stop, FILL, True
                )
            return int(place), tokens[:t], finder, 0, is_natural
        t, wrong = 0, 0
        while t < n and place < len(content):
            self._check()
            stop = min(n, t + _AT_ONCE)
            state: Any = self._coder.kernel_state((stop - t) * TOKEN_CODE_BITS)
            place, t, more = follow(
                state,
                self._contexts,
                content,
                finder,
                place,
                tokens,
                t,
                stop,
                CODE,
                self._decodes,
            )
            wrong += int(more)
            if place < 0:
                raise FormatError("a frame is damaged: a match of deflate reaches too far")
        if t < n and not is_natural:
            raise FormatError("a frame is damaged: a block of deflate is too long")
        return int(place), tokens[:t], finder, wrong, is_natural
