"""Streams of deflate are taken apart, predicted, and told again to the bit."""

import random
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coder import Decoder, Encoder
from nacrith.errors import FormatError
from nacrith.transforms.deflate.alphabet import FIXED_LENGTHS, N_LITERALS
from nacrith.transforms.deflate.block_header import LITERALS, TYPE
from nacrith.transforms.deflate.effort import LEVELS, Effort
from nacrith.transforms.deflate.guess import guess
from nacrith.transforms.deflate.huffman import code_lengths, codes_of
from nacrith.transforms.deflate.inflate import inflate
from nacrith.transforms.deflate.stream import Corrections, StreamCoding
from tests.deflate_samples import CONTENTS, deflated, noise, prose, rows

STRATEGIES = range(5)


def values(content: bytes) -> np.ndarray:
    return np.frombuffer(content, dtype=np.uint8).copy()


def there(content: bytes, stream: bytes, effort: Effort | None = None) -> tuple[bytes, Corrections]:
    """What a stream is coded to, by the effort that is guessed unless one is given."""
    taken = inflate(stream, len(content))
    assert taken and taken[0] == content
    effort = effort or guess(values(content), taken[1], Effort())[0]
    coder = Encoder()
    coding = StreamCoding(coder, decodes=False)
    coding.code_effort(effort)
    again, corrections = coding.code(values(content), effort, taken[1])
    assert again == stream
    return coder.finish(), corrections


def back(content: bytes, payload: bytes) -> bytes:
    coding = StreamCoding(Decoder(payload), decodes=True)
    return coding.code(values(content), coding.code_effort())[0]


def there_and_back(content: bytes, stream: bytes, effort: Effort | None = None) -> Corrections:
    payload, corrections = there(content, stream, effort)
    assert back(content, payload) == stream
    if not corrections:
        # The effort, and for each block that it is as predicted.
        assert len(payload) < 16 + len(stream) // 600
    return corrections


@pytest.mark.parametrize("level", range(1, 10))
@pytest.mark.parametrize("name", CONTENTS)
def test_every_decision_of_zlib_is_predicted(name, level):
    content = CONTENTS[name]
    for memory in (8, 9):
        effort = Effort(level, 0, memory, memory + 7)
        assert not there_and_back(content, deflated(content, level, memory=memory), effort)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("name", ["prose", "rows", "mixed", "far"])
def test_its_strategies_windows_and_memory_levels_are_too(name, strategy):
    content = CONTENTS[name]
    for level, window, memory in ((6, 15, 8), (1, 12, 7), (9, 9, 1), (4, 10, 5), (5, 11, 9)):
        stream = deflated(content, level, window, memory, strategy)
        effort = Effort(level, strategy, memory, memory + 7, window)
        assert not there_and_back(content, stream, effort)


@pytest.mark.parametrize("level", range(10))
@pytest.mark.parametrize("name", CONTENTS)
def test_what_made_a_stream_is_guessed(name, level):
    content = CONTENTS[name]
    assert there_and_back(content, deflated(content, level)).tokens == 0


def test_gzip_has_larger_blocks_and_the_usual_hash():
    """What gzip and Info-ZIP differ in: 32,767 tokens a block, 15 bits of a hash."""
    content = prose(400_000)
    stream = deflated(content, memory=9)
    taken = inflate(stream, len(content))
    assert taken
    effort, wrong = guess(values(content), taken[1], Effort())
    assert effort == Effort(6, 0, 9, 16) and wrong == 0


@pytest.mark.parametrize("wrong", [Effort(1), Effort(9, 1), Effort(6, 2), Effort(6, 3, 1, 8, 9)])
@pytest.mark.parametrize("name", CONTENTS)
def test_a_wrong_guess_costs_corrections_only(name, wrong):
    content = CONTENTS[name]
    there_and_back(content, deflated(content, 7), wrong)
    there_and_back(content, deflated(content, 7), wrong._replace(free=True, hash_bits=16))


@settings(max_examples=60)
@given(st.data())
def test_any_bytes_flushed_anywhere(data):
    pieces = data.draw(st.lists(st.binary(max_size=300) | st.just(prose(400)), max_size=6))
    strategy = data.draw(st.sampled_from(STRATEGIES))
    level = data.draw(st.integers(0, 9))
    compressor = zlib.compressobj(level, zlib.DEFLATED, -15, 8, strategy)
    stream = b""
    for piece in pieces:
        stream += compressor.compress(piece)
        stream += compressor.flush(data.draw(st.sampled_from([0, 1, 2, 3, 5])))
    stream += compressor.flush()
    content = b"".join(pieces)
    there_and_back(content, stream)


class Bits:
    """Bits from the lowest of each byte on."""

    def __init__(self) -> None:
        self.value = self.n = 0

    def put(self, value: int, n: int) -> "Bits":
        self.value |= value << self.n
        self.n += n
        return self

    def done(self) -> bytes:
        return self.value.to_bytes((self.n + 7) // 8, "little")


def fixed_block(tokens: list[int | tuple[int, int]], bits: Bits, is_last: bool) -> None:
    """Write a fixed block of literals and (length, distance) that only use codes without
    extra bits."""
    codes = np.zeros(N_LITERALS, dtype=np.int64)
    codes_of(FIXED_LENGTHS[:N_LITERALS], codes)
    bits.put(is_last, 1).put(1, 2)
    for token in tokens:
        literal = token if isinstance(token, int) else 254 + token[0]
        bits.put(int(codes[literal]), int(FIXED_LENGTHS[literal]))
        if not isinstance(token, int):
            bits.put(int(f"{token[1] - 1:05b}"[::-1], 2), 5)
    bits.put(int(codes[256]), 7)


@pytest.mark.parametrize("seed", range(20))
def test_a_compressor_that_decides_by_chance(seed):
    chosen = random.Random(seed)
    content = bytearray()
    bits = Bits()
    n_blocks = chosen.randrange(1, 6)
    for block in range(n_blocks):
        tokens: list[int | tuple[int, int]] = []
        for _ in range(chosen.randrange(120)):
            if len(content) > 4 and chosen.random() < 0.5:
                length, distance = chosen.randrange(3, 11), chosen.randrange(1, 5)
                tokens.append((length, distance))
                for _ in range(length):
                    content.append(content[-distance])
            else:
                tokens.append(chosen.choice(b"abcd\xff"))
                content.append(tokens[-1])  # type: ignore[arg-type]
        fixed_block(tokens, bits, block == n_blocks - 1)
    stream = bits.done()
    assert zlib.decompress(stream, -15) == content
    for effort in (None, Effort(1), Effort(10, free=True, hash_bits=16)):
        there_and_back(bytes(content), stream, effort)


def test_what_can_not_be_told_again_is_left_alone():
    content = b"a" * 259
    last_code = Bits().put(1, 1).put(1, 2).put(int(f"{0x30 + 97:08b}"[::-1], 2), 8)
    # 258 as 227 and 31.
    last_code.put(int(f"{0xC0 + 284 - 280:08b}"[::-1], 2), 8).put(31, 5).put(0, 5).put(0, 7)
    assert zlib.decompress(last_code.done(), -15) == content
    assert inflate(last_code.done(), 259) is None
    padded = bytearray(deflated(b"x"))
    padded[-1] |= 0x80
    assert zlib.decompress(padded, -15) == b"x"
    assert inflate(bytes(padded), 1) is None
    assert inflate(deflated(b"x"), 1)


@pytest.mark.parametrize("level", [0, 1, 6])
def test_damaged_streams_are_refused_or_read_as_zlib_does(level):
    content = prose(900) + noise(100)
    stream = deflated(content, level)
    agreed = 0
    for place in range(len(stream)):
        for bit in (0, 3, 7):
            spoiled = bytearray(stream)
            spoiled[place] ^= 1 << bit
            taken = inflate(bytes(spoiled), len(content))
            try:
                expected = zlib.decompress(spoiled, -15)
            except zlib.error:
                expected = None
            if taken:
                assert taken[0] == expected
                agreed += 1
                if agreed % 50 == 1:
                    there_and_back(taken[0], bytes(spoiled))
        assert inflate(stream[:place], len(content)) is None
    assert level == 1 or agreed


def test_a_damaged_payload_is_told_or_gives_another_stream():
    content = prose(3000) + rows(3000)
    payload, _ = there(content, deflated(content, 7), Effort(1))
    assert len(payload) > 100
    errors = 0
    chosen = random.Random(5)
    for _ in range(300):
        spoiled = bytearray(payload)
        spoiled[chosen.randrange(len(payload))] ^= 1 << chosen.randrange(8)
        try:
            back(content, bytes(spoiled))
        except FormatError as error:
            assert "damaged" in str(error)
            errors += 1
    for end in range(0, len(payload), 7):
        try:
            back(content, payload[:end])
        except FormatError:
            errors += 1
    assert errors > 20


@settings(max_examples=100)
@given(st.lists(st.integers(0, 1000), min_size=2, max_size=60), st.sampled_from([7, 15]))
def test_code_lengths_are_those_of_a_whole_code_and_the_shortest(frequencies, longest):
    lengths = np.zeros(len(frequencies), dtype=np.uint8)
    last = code_lengths(np.array(frequencies, dtype=np.int64), longest, lengths)
    used = lengths[lengths > 0].astype(int)
    assert sum(2.0**-n for n in used) == 1 and used.max() <= longest and len(used) >= 2
    assert last == max(np.flatnonzero(lengths))
    assert all(n for f, n in zip(frequencies, lengths, strict=True) if f)
    assert codes_of(lengths, np.zeros(len(lengths), dtype=np.int64))
    if longest == 15 and sum(f > 0 for f in frequencies) > 1:
        # What Huffman's algorithm makes: the weights of its inner nodes.
        weights = sorted(f for f in frequencies if f)
        least = 0
        while len(weights) > 1:
            first, second, *weights = weights
            least += first + second
            weights = sorted([*weights, first + second])
        if max(used) < 15:
            assert sum(f * int(n) for f, n in zip(frequencies, lengths, strict=True)) == least


def test_the_levels_of_zlib_are_there():
    assert set(range(1, 10)) < set(LEVELS)
    taken = inflate(deflated(prose(50_000)), 50_000)
    assert taken and taken[1].headers[0][TYPE] == 2 and 257 <= taken[1].headers[0][LITERALS] <= 286
