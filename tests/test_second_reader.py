"""docs/format.md, sections 5.0, 5.2 and 5.6, read by what was written from them alone."""

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder import Encoder
from nacrith.codec import stream_texts
from nacrith.codec.layout import MAX_HEAD, Layout, code_layout
from nacrith.codec.stream_texts import StreamTexts
from nacrith.transforms.prepare import Piece
from nacrith.transforms.transforms_made import CHARSETS, Transforms, code_transforms
from tests.byte_vocabulary import BYTES


class SecondReader:
    """Section 5.6 in integers of any size: what was shifted out stays in them."""

    def __init__(self, payload: bytes) -> None:
        self.payload = payload
        self.shifted = 0
        self.low, self.range = 0, (1 << 32) - 1

    def bit(self, probability: float) -> int:
        size = 4 + self.shifted
        code = int.from_bytes(self.payload[:size].ljust(size, b"\0"), "big")
        middle = self.range * ((1 << 24) - int(probability * (1 << 24))) >> 24
        bit = int(code - self.low >= middle)
        if bit:
            self.low, self.range = self.low + middle, self.range - middle
        else:
            self.range = middle
        while self.range < 1 << 24:
            self.low, self.range, self.shifted = self.low << 8, self.range << 8, self.shifted + 1
        return bit

    def number(self, bits: int) -> int:
        return sum(self.bit(0.5) << i for i in reversed(range(bits)))

    def transforms(self) -> tuple[int, int, int]:
        charset = self.number(5) if self.bit(2**-8) else 0
        return charset, self.bit(0.5), self.bit(0.5)

    def layout(self, n: int, size: int) -> tuple[list[int], list[int], int]:
        if not self.bit(1 / 16):
            return [n], [size], 0
        streams = self.number(8) + 1
        head = self.number(8)
        return self.parts(n, streams), self.parts(size, streams), head

    def parts(self, total: int, streams: int) -> list[int]:
        w = self.number(6)
        first = [self.number(w + 1) - 2**w + total // streams for _ in range(streams - 1)]
        return [*first, total - sum(first)]


@given(
    st.integers(0, len(CHARSETS) - 1), st.booleans(), st.booleans(),
    st.lists(st.integers(1, 1 << 24), min_size=1, max_size=256), st.integers(0, MAX_HEAD),
    st.randoms(use_true_random=False),
)  # fmt: skip
def test_the_front_of_a_payload(charset, crlf, wrapped, symbols, head, source):
    sizes = [source.randint(1, 1 << 24) for _ in symbols]
    head = min(head, symbols[0]) if len(symbols) > 1 else 0
    encoder = Encoder()
    code_transforms(encoder, Transforms(charset, crlf, wrapped))
    code_layout(encoder, Layout(tuple(symbols), tuple(sizes), head))
    # What section 5.2 calls settled.
    settled = encoder.size
    reader = SecondReader(encoder.finish())
    assert reader.transforms() == (charset, crlf, wrapped)
    assert reader.layout(sum(symbols), sum(sizes)) == (symbols, sizes, head)
    assert reader.shifted == settled


class ScriptedCoder:
    """Settles as many bytes as the test says, and keeps the bits that are coded."""

    def __init__(self) -> None:
        self.size = 0
        self.bits: list[int] = []

    def code_bit(self, probability: int, bit: int, bits: int = 16) -> int:
        assert 2 * probability == 1 << bits
        self.bits.append(bit)
        return bit


class FreeLineBreaks:
    """`LineBreaks` that only keeps how far it is, so that all bits are those of checks."""

    def __init__(self, n_texts: int) -> None:
        self.places = [0] * n_texts

    def place(self, number: int) -> int:
        return self.places[number]

    def code(self, coder, number, text, breaks, end) -> None:
        self.places[number] = max(self.places[number], end)


def settled_line_breaks(text: bytes, whole: bool) -> int:
    """The place that section 5.2 names."""
    blanks = b"\t\n\v\f\r "
    places = (
        i for i in range(len(text) - 1, 0, -1) if text[i] in blanks and text[i - 1] not in blanks
    )
    return len(text) if whole else next(places, 0)


@pytest.mark.parametrize("most", [1, 40, 3000])
@pytest.mark.parametrize("lengths", [(70_000,), (4000, 3000, 5000)])
@pytest.mark.parametrize("wrapped", [False, True])
def test_when_checks_come_and_what_is_in_them(most, lengths, wrapped, monkeypatch):
    """With payloads that grow by up to `most` bytes a step."""
    monkeypatch.setattr(stream_texts, "LineBreaks", FreeLineBreaks)
    random = np.random.default_rng(most)
    layout = Layout(lengths, lengths, 100 if len(lengths) > 1 else 0)
    text = bytes(random.choice(np.frombuffer(b"abcde  ", dtype=np.uint8), sum(lengths)))
    symbols = BYTES.encode(text)
    parts = [text[b : b + n] for b, n in zip(layout.bounds, lengths, strict=False)]
    breaks = [random.integers(0, 2, len(p)).astype(np.uint8) * wrapped for p in parts]
    pieces = [Piece(p, b, len(p)) for p, b in zip(parts, breaks, strict=True)]
    coder = ScriptedCoder()
    made = Transforms(wrapped=wrapped)
    texts = StreamTexts(coder, BYTES, symbols, layout, made, pieces)  # type: ignore[arg-type]

    front = [0, 0, int(wrapped), len(lengths), layout.head, *lengths, *lengths]
    crc = zlib.crc32(b"".join(number.to_bytes(4, "little") for number in front))
    z_next, m_next = 192, 32_768
    taken = [0] * len(lengths)
    settled = [0] * len(lengths)
    done = checks = 0
    for step in range(layout.steps):
        coded = [min(n, max(0, step + 1 - layout.delay(s))) for s, n in enumerate(lengths)]
        done = sum(coded)
        # Sometimes nothing for a long time.
        coder.size += int(random.integers(0, most + 1)) if random.random() < 0.3 else 0
        coder.bits = []
        came = texts.after_step(step, done)
        due = done < len(symbols) and (coder.size >= z_next or done >= m_next)
        assert came == due == bool(coder.bits)
        if not due:
            continue
        for stream, begin in enumerate(layout.bounds[:-1]):
            new = symbols[begin + taken[stream] : begin + coded[stream]]
            crc = zlib.crc32(new.astype("<u4").tobytes(), crc)
            if wrapped and coded[stream]:
                # A symbol is a byte here.
                known = parts[stream][: coded[stream]]
                end = settled_line_breaks(known, coded[stream] == lengths[stream])
                crc = zlib.crc32(breaks[stream][settled[stream] : end].tobytes(), crc)
                settled[stream] = end
        taken = coded
        expected = f"{crc:032b}"[-16:] if checks else f"{crc:032b}"[-8:]
        assert "".join(map(str, coder.bits)) == expected
        z, checks = coder.size, checks + 1
        z_next, m_next = max(192, min(4 * z, z + 2048)), done + 32_768
    assert done == len(symbols) and checks >= 1
