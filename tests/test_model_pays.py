"""Which text goes to the model: decided by what it saves."""

import random

import pytest

from nacrith.codec import model_pays
from nacrith.codec.binary_codec import encode_binary, mix
from nacrith.codec.codec_request import CompressRequest
from nacrith.codec.frame_decoder import decode_frame
from nacrith.codec.frame_encoder import encode_frame
from nacrith.codec.model_pays import choose
from nacrith.codec.repetition import is_repeated
from nacrith.codec.segments import find_segments
from nacrith.codec.stream_choice import ONE_STREAM, Cutting
from nacrith.codec.text_mixing import TextMixing
from nacrith.codec.token_log import Observer, observed_by
from nacrith.format.frame import Kind, Segment
from nacrith.format.parameters import Parameters
from nacrith.pipeline.presets import BEST, DEFAULT, LEVELS

R = random.Random(9)
PROSE = b"".join(
    b"The %s of the %s %s by the %s.\n" % tuple(R.choices([b"river", b"mill", b"walks"], k=4))
    for _ in range(200)
)
HEXADECIMAL = b"".join(R.randbytes(16).hex().encode() + b"\n" for _ in range(300))
NOISE = R.randbytes(40_000)
PROGRAM = b"".join(R.choices([b"\x48\x89\xe5\0", b"\xe8\0\0\1", R.randbytes(4)], k=6000))


class Model:
    """Stands for a codec: so many bytes a token, and that share of context mixing's size."""

    def __init__(self, bytes_per_token, share):
        self.bytes_per_token = bytes_per_token
        self.share = share
        self.tried = []

    def count_tokens(self, text):
        return int(len(text) / self.bytes_per_token)

    def second_half_size(self, text, on_progress):
        self.tried.append(text)
        _, (half, end) = mix(text, [(len(text) + 1) // 2, len(text)])
        return int((end - half) * self.share)


def chosen(data, model, least_saving=DEFAULT.least_saving):
    segments = find_segments(data)
    choice = choose(data, segments, model, least_saving)
    assert sum(segment.length for segment in choice.segments) == len(data)
    return choice, segments


def kinds(choice):
    return [segment.kind for segment in choice.segments]


def test_text_of_many_bytes_a_token_is_not_tried():
    model = Model(4, 2.0)
    choice, segments = chosen(PROSE, model)
    assert choice.segments == segments and choice.text_size is None
    assert not model.tried


@pytest.mark.parametrize(
    ("share", "kind"), [(1.03, Kind.MIXED), (0.95, Kind.MIXED), (0.7, Kind.TEXT)]
)
def test_the_model_must_save_a_tenth(share, kind):
    assert DEFAULT.least_saving == LEVELS[4].least_saving == 10
    model = Model(1.1, share)
    choice, _ = chosen(HEXADECIMAL, model)
    assert choice.segments == [Segment(kind, len(HEXADECIMAL))]
    assert sum(map(len, model.tried)) < 3000


@pytest.mark.parametrize(("share", "kind"), [(1.03, Kind.MIXED), (0.95, Kind.TEXT)])
def test_for_the_best_any_saving_does(share, kind):
    choice, _ = chosen(HEXADECIMAL, Model(1.1, share), BEST.least_saving)
    assert kinds(choice) == [kind]


class ByKind(Model):
    """Few bytes a token of hexadecimal, many of prose."""

    def count_tokens(self, text):
        return len(text) // (1 if text.count(b" ") * 20 < len(text) else 4)


def test_pieces_are_judged_apart():
    data = PROSE * 6 + HEXADECIMAL * 6 + PROSE * 6
    model = ByKind(0, 1.0)
    choice, _ = chosen(data, model)
    assert kinds(choice) == [Kind.TEXT, Kind.MIXED, Kind.TEXT]
    # At most a piece with both remains on either side.
    assert abs(choice.segments[1].length - 6 * len(HEXADECIMAL)) < 2 * model_pays.PIECE_BYTES


def test_what_is_alike_is_tried_once():
    data = b"".join(R.randbytes(16).hex().encode() + b"\n" for _ in range(1500))
    model = Model(1.1, 1.0)
    choice, _ = chosen(data, model)
    assert kinds(choice) == [Kind.MIXED]
    assert len(model.tried) == 1


def test_strings_of_a_program_must_pay_for_all_of_it():
    data = PROGRAM + PROSE + PROGRAM
    choice, segments = chosen(data, Model(4, 0.5))
    assert Kind.TEXT in [segment.kind for segment in segments]
    assert choice.segments == [Segment(Kind.MIXED, len(data))]
    best, _ = chosen(data, Model(4, 0.5), BEST.least_saving)
    assert best.segments == segments


def test_a_little_binary_data_does_not_count():
    choice, segments = chosen(PROSE * 3 + PROGRAM[:4000] + PROSE * 3, Model(4, 0.5))
    assert choice.segments == segments


def test_what_is_stored_does_not_count():
    data = R.randbytes(1 << 17) + PROSE
    choice, segments = chosen(data, Model(4, 0.5))
    assert [segment.kind for segment in segments] == [Kind.STORED, Kind.TEXT]
    assert choice.segments == segments


def test_a_text_that_says_the_same_for_ever_is_left_to_context_mixing():
    line = b"Nothing happened at the old mill on the river today.\n"
    model = Model(4, 0.5)
    assert kinds(chosen(line * 1500, model)[0]) == [Kind.MIXED]
    assert not model.tried
    assert kinds(chosen(line * 1500, model, BEST.least_saving)[0]) == [Kind.TEXT]


def test_repetition():
    assert is_repeated(NOISE[:100] * 100)
    assert not is_repeated(NOISE[:100] * 10)
    assert not is_repeated(NOISE)
    assert not is_repeated(b"")


def test_no_text_and_utf16():
    utf16 = "0123 4567\n".encode("utf-16") * 100
    for data in (b"", NOISE, utf16):
        choice, segments = chosen(data, Model(1, 2.0))
        assert choice.segments == segments


def test_the_choice_is_checked_against_what_the_model_made():
    choice, _ = chosen(HEXADECIMAL, Model(1.1, 0.7))
    size = choice.text_size
    assert abs(size - len(mix(HEXADECIMAL)[0])) <= 4
    assert choice.holds(size * 94 // 100) and not choice.holds(size * 96 // 100)
    # Too short for a sample: only what the model makes of it tells.
    model = Model(1.1, 0.7)
    choice, _ = chosen(HEXADECIMAL[:1500], model)
    size = choice.text_size
    assert not model.tried and kinds(choice) == [Kind.TEXT]
    assert choice.holds(size * 89 // 100) and not choice.holds(size * 91 // 100)


def test_sizes_at_places():
    payload, sizes = mix(PROSE, [1, 300, 301, len(PROSE)])
    assert sizes == sorted(sizes) and 0 <= len(payload) - sizes[3] <= 6
    assert payload == mix(PROSE)[0]
    assert abs(sizes[1] - len(mix(PROSE[:300])[0])) < 10


def test_what_was_tried_is_not_coded_again(monkeypatch):
    data = PROGRAM + PROSE + PROGRAM
    choice, _ = chosen(data, Model(4, 0.5))
    assert choice.payload_of(data) == mix(data)[0]
    assert choice.payload_of(data[1:]) is None and choice.payload_of(b"") is None
    found = encode_binary(data)
    monkeypatch.setattr("nacrith.codec.binary_codec.mix", None)
    assert encode_binary(data, mixed=choice.payload_of(data)) == found


@pytest.fixture(scope="module")
def codecs(tiny_gguf):
    opened = {
        preset: CompressRequest(
            tiny_gguf, "exact", 1, Parameters(window=256), ONE_STREAM, preset.least_saving
        ).open()
        for preset in (DEFAULT, BEST)
    }
    yield opened
    for codec in opened.values():
        codec.close()


@pytest.mark.parametrize("preset", [DEFAULT, BEST])
@pytest.mark.parametrize("data", [PROSE[:2000], HEXADECIMAL[:2000], PROGRAM[:4000] + PROSE[:1000]])
def test_a_model_that_knows_nothing_is_not_used(codecs, preset, data):
    """The tiny model's weights are random."""
    frame = encode_frame(data, codecs[preset])
    assert b"".join(decode_frame(frame, codecs[preset])) == data
    without = encode_frame(data, None)
    assert len(frame.to_bytes()) <= len(without.to_bytes())


def test_context_mixing_is_tried_where_the_model_saves_little(codecs):
    """The tiny model's weights are random; of less text only the model is asked."""
    codec = codecs[DEFAULT]
    long = encode_frame(PROSE[:9000], codec)
    assert set(long.payloads) == {Kind.MIXED_TEXT}
    assert b"".join(decode_frame(long, codec)) == PROSE[:9000]
    without = encode_frame(PROSE[:9000], TextMixing(3))
    assert len(long.to_bytes()) <= len(without.to_bytes())


def test_a_trial_costs_what_the_second_half_costs(codecs, tiny_gguf):
    codec = codecs[DEFAULT]
    text = PROSE[:2000]
    _, payload = codec.encode(text)
    size = codec.second_half_size(text)
    assert 0 < size < len(payload) / 2
    four = CompressRequest(tiny_gguf, "exact", 1, Parameters(window=256), Cutting(4), 10).open()
    assert four.second_half_size(text) == size
    four.close()
    observer = Observer()
    with observed_by(observer):
        codec.second_half_size(text)
    assert not observer.logs


def test_all_text_if_so_asked():
    choice, segments = chosen(HEXADECIMAL, Model(1.1, 1.1), None)
    assert choice.segments == segments and choice.holds(len(HEXADECIMAL))


def test_all_text_of_a_frame_if_so_asked(tiny_gguf):
    """Also where context mixing would be smaller: the model's weights are random."""
    codec = CompressRequest(tiny_gguf, "exact", 1, Parameters(window=256), ONE_STREAM, None).open()
    frame = encode_frame(PROSE[:9000], codec)
    codec.close()
    assert set(frame.payloads) == {Kind.TEXT}


def test_binary_data_without_text_is_coded_once():
    done = []
    frame = encode_frame(PROGRAM, TextMixing(3), lambda n, *_: done.append(n))
    assert set(frame.payloads) == {Kind.MIXED}
    assert done == sorted(done) and done[-1] == len(PROGRAM)
