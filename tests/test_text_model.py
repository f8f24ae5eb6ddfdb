"""Context mixing of text: round trips, what it is worth, damage, its automaton and its tables."""

import bz2
import lzma
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder import Encoder
from nacrith.codec.binary_codec import decode_binary, encode_binary
from nacrith.codec.frame_decoder import decode_frame
from nacrith.codec.frame_encoder import encode_frame
from nacrith.codec.text_mixing import TextMixing, may_be_text, mix_text, unmix_text
from nacrith.errors import FormatError, NacrithError, UnsupportedError
from nacrith.format.frame import Frame, Kind
from nacrith.format.varint import to_varint
from predictors.mixing import nibble_table, rate_map, weight_sets
from predictors.mixing.bit_states import COUNTS, NEXT
from predictors.text import decision, text_model
from predictors.text.long_primer import long_primer
from predictors.text.primer import PRIMER
from predictors.text.text_contexts import KINDS
from predictors.text.variants import VARIANTS

NOISE = random.Random(0).randbytes(5000)
TEXTS = ["alice29.txt", "cp.html", "fields.c", "grammar.lsp", "xargs.1"]


@pytest.mark.parametrize("variant", VARIANTS)
@given(data=st.binary(max_size=500), times=st.integers(1, 20))
def test_it_survives(variant, data, times):
    data = data * times
    assert unmix_text(mix_text(data, variant), len(data)) == data


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(
    "data", [b"", b"x", bytes(range(256)) * 2, bytes(100_000), b"ab\n" * 40_000, NOISE * 4]
)
def test_extremes_survive(variant, data):
    payload = mix_text(data, variant)
    assert decode_binary(Kind.MIXED_TEXT, payload, len(data)) == data
    assert len(payload) < 1.02 * len(data) + 10


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", TEXTS)
def test_texts_are_smaller_than_lzma_and_bzip2(canterbury, variant, name):
    data = canterbury[name].read_bytes()[:40_000]
    payload = mix_text(data, variant)
    others = min(len(lzma.compress(data, preset=9)), len(bz2.compress(data)))
    assert len(payload) < 0.95 * others
    assert unmix_text(payload, len(data)) == data


def test_a_higher_variant_is_smaller(canterbury):
    for name in TEXTS:
        data = canterbury[name].read_bytes()[:40_000]
        sizes = [len(mix_text(data, variant)) for variant in sorted(VARIANTS)]
        assert sizes == sorted(sizes, reverse=True)
        assert len(set(sizes)) == len(sizes)


def test_progress_changes_nothing(canterbury):
    data = np.frombuffer(canterbury["fields.c"].read_bytes(), dtype=np.uint8).copy()
    made = []
    for every in (1000, 4096):
        coder = Encoder()
        seen: list[int] = []
        text_model.code_text(coder, data, VARIANTS[1], seen.append, every)
        assert seen == [*range(every, len(data), every), len(data)]
        made.append(coder.finish())
    assert made[0] == made[1]


def test_damage_is_reported(canterbury):
    data = canterbury["xargs.1"].read_bytes()
    payload = mix_text(data, 1)
    with pytest.raises(UnsupportedError, match="variant 99"):
        unmix_text(b"\x63" + payload[1:], len(data))
    for short in (b"", b"\x80", b"\x81\x00"):
        with pytest.raises(FormatError):
            unmix_text(short, len(data))
    with pytest.raises(FormatError, match="is damaged"):
        unmix_text(payload[:100], 1 << 26)
    # Wrong bytes, which the frame's check finds, but no exception.
    for i in range(1, len(payload), 97):
        broken = bytearray(payload)
        broken[i] ^= 1 << i % 8
        try:
            found = unmix_text(bytes(broken), len(data))
        except NacrithError:
            continue
        assert len(found) == len(data) and found != data
    assert unmix_text(payload[:40], len(data)) != data


def test_what_may_be_text():
    assert may_be_text(b"a line\n\tand a tab\r\n")
    assert may_be_text(b"")
    assert not may_be_text(NOISE)


def test_states_count_and_forget():
    def after(bits):
        state = 0
        for bit in bits:
            state = NEXT[state, int(bit)]
        return tuple(COUNTS[state].tolist())

    assert after("") == (0, 0)
    assert after("0") == (1, 0) and after("0001") == (2, 1)
    assert after("0" * 200) == (COUNTS.max(), 0) and after("1" * 200) == (0, COUNTS.max())
    assert after("1" * 40 + "0") == (1, 8)
    # Each state is reached, and fits into a byte; the sums of the counts ascend.
    assert len(COUNTS) <= 256 and set(NEXT.ravel().tolist()) == set(range(1, len(COUNTS)))
    assert (np.diff(COUNTS.sum(axis=1)) >= 0).all()


def test_a_table_of_half_bytes_keeps_what_has_seen_most():
    table = nibble_table.new_table(4)
    assert table.ctypes.data % 64 == 0 and len(table) == 16 * nibble_table.SLOT
    # Four contexts for three slots: the same place, other checks.
    places = []
    for check, state in ((1, 9), (2, 3), (3, 7)):
        places.append(int(nibble_table.find(table, np.int64(check))))
        table[places[-1] + 1] = state
    assert len(set(places)) == 3
    assert int(nibble_table.find(table, np.int64(4))) == places[1]
    assert table[places[1] + 1] == 0
    for check, place in ((1, places[0]), (3, places[2]), (4, places[1])):
        assert int(nibble_table.find(table, np.int64(check))) == place


def test_a_rate_map_is_a_mean_up_to_its_limit():
    table = rate_map.new_entries(np.array([rate_map.ONE // 2]))
    for _ in range(20):
        rate_map.learn(table, 0, np.int64(1), 1023)
    fast = int(rate_map.probability(table[0]))
    assert 0.96 < fast / rate_map.ONE < 1
    for _ in range(100_000):
        rate_map.learn(table, 0, np.int64(1), 1023)
    assert int(rate_map.probability(table[0])) < rate_map.ONE
    rate_map.learn(table, 0, np.int64(0), 1023)
    assert int(rate_map.probability(table[0])) / rate_map.ONE == pytest.approx(1, abs=2e-3)


def test_a_layer_learns_which_input_is_right():
    layer = weight_sets.new_layer(2, 4, [0, 0, 0], 1000, 2000, 100)
    inputs = weight_sets.new_inputs(3)
    assert len(inputs) % 8 == 0
    bits = random.Random(1)
    for _ in range(3000):
        bit = bits.randrange(2)
        inputs[:3] = [4096 * (2 * bit - 1), 4096 * (2 * bits.randrange(2) - 1), 256]
        layer.selected[:] = [1, 3]
        weight_sets.mix(layer, inputs)
        weight_sets.learn(layer, inputs, np.int64(bit))
    good, bad, _ = layer.weights[0, 1, :3].tolist()
    assert good > 4 * abs(bad) and good > weight_sets.WEIGHT_ONE
    # What was not selected has not changed.
    assert not layer.weights[0, 0].any() and not layer.weights[:, :, 3:].any()


def test_variants_name_kinds_of_context():
    for variant in VARIANTS.values():
        assert set(variant.kinds) <= set(range(KINDS))
        assert len(set(variant.kinds)) == len(variant.kinds)
        assert 1 <= variant.selectors <= decision.SELECTORS


def test_the_primer_is_text():
    assert PRIMER.isascii() and may_be_text(PRIMER)
    assert 1 << 13 < len(PRIMER) < 1 << 15
    assert long_primer().decode().endswith(PRIMER.decode()) and may_be_text(long_primer())
    assert 1 << 16 < len(long_primer()) < 1 << 17


def test_what_a_primer_taught_is_kept_for_short_texts(monkeypatch):
    text = np.frombuffer(b"and it was learned once; " * 9, dtype=np.uint8).copy()
    read = text_model._read

    def code() -> bytes:
        coder = Encoder()
        text_model.code_text(coder, text, VARIANTS[1])
        return coder.finish()

    text_model._primed.cache_clear()
    first = code()
    monkeypatch.setattr(text_model, "_read", None)
    assert code() == first and len(first) < 60
    # Of a long text it is learned anew, to the same effect.
    monkeypatch.setattr(text_model, "_SHORT", 0)
    monkeypatch.setattr(text_model, "_read", read)
    monkeypatch.setattr(text_model, "_primed", None)
    assert code() == first


def test_a_third_input_and_more_weight_sets_are_worth_something(canterbury):
    """With the same primer, so that it is not this that makes the difference."""
    data = np.frombuffer(canterbury["fields.c"].read_bytes(), dtype=np.uint8).copy()
    sizes = []
    for variant in (VARIANTS[2], VARIANTS[3]._replace(primer=VARIANTS[2].primer)):
        coder = Encoder()
        text_model.code_text(coder, data, variant)
        sizes.append(len(coder.finish()))
    assert sizes[1] < sizes[0]


@pytest.mark.parametrize(
    ("data", "kinds"),
    [
        (PRIMER, {Kind.MIXED_TEXT}),
        (PRIMER + NOISE * 8, {Kind.MIXED_TEXT, Kind.MIXED}),
        (PRIMER + b"Q" * 50_000 + PRIMER, {Kind.MIXED_TEXT}),
        (bytes(20_000) + PRIMER[:9], {Kind.MIXED}),
        (b"\x07", {Kind.STORED}),
    ],
)
def test_frames_without_the_model(data, kinds):
    for variant in VARIANTS:
        frame = encode_frame(data, TextMixing(variant))
        assert {segment.kind for segment in frame.segments} == kinds
        assert b"".join(decode_frame(Frame.from_bytes(frame.to_bytes()), None)) == data


def test_doubtful_text_gets_the_better_of_both_models():
    kind, payload = encode_binary(PRIMER)
    assert kind == Kind.MIXED_TEXT and decode_binary(kind, payload, len(PRIMER)) == PRIMER
    assert encode_binary(PRIMER, as_text=False)[0] == Kind.MIXED


def test_a_kind_of_the_future_is_named():
    with pytest.raises(UnsupportedError, match="kind 6"):
        two = to_varint(5 << 3 | Kind.STORED) + to_varint(5 << 3 | 6)
        Frame.from_bytes(to_varint(2) + two + b"1234" + b"12345" * 2)


@pytest.mark.parametrize("primer", [PRIMER, long_primer()], ids=["short", "long"])
def test_a_primer_quotes_no_file_that_is_measured(canterbury, primer):
    length = 32
    pieces = {primer[i : i + length] for i in range(len(primer) - length)}
    pieces = {piece for piece in pieces if len(set(piece)) > 4}
    for name, path in canterbury.items():
        data = path.read_bytes()
        shared = [data[i : i + length] for i in range(len(data)) if data[i : i + length] in pieces]
        assert not shared, (name, shared)
