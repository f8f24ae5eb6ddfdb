"""Whole files through the real loading code, with the tiny model."""

import io
import random
import textwrap
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nacrith.codec.frame_decoder import decode_frame
from nacrith.codec.model_choice import codec_for_compression
from nacrith.errors import (
    FormatError,
    ModelMismatchError,
    ModelNotFoundError,
    NacrithError,
    ResumeError,
    UnsupportedError,
)
from nacrith.format.container import MemberReader
from nacrith.format.parameters import Parameters
from nacrith.pipeline.compress import compress_stream
from nacrith.pipeline.decompress import decompress_stream
from nacrith.pipeline.options import CompressOptions
from nacrith.pipeline.presets import BEST, DEFAULT, LEVELS
from predictors.base import UnsupportedModelError
from tests.whole_files import header_of

WINDOW = 256
PROSE = b"The owl and the pussycat went to sea in a beautiful pea-green boat.\r\n" * 20
NOISE = random.Random(2).randbytes(2000)

CASES = {
    "empty": b"",
    "one byte": b"x",
    "one bad byte": b"\xff",
    "one hundred bytes": PROSE[:100],
    "prose": PROSE,
    "filled lines": textwrap.fill(PROSE.decode(), 60).encode(),
    "lines and carriage returns": PROSE[:600] + b"\n" + PROSE[:600],
    "manual page": b'.TH CAT 1 "May 1990"\n.SH NAME\ncat \\- concatenate files\n.SH SEE\n' * 9,
    "noise": NOISE,
    "both": NOISE + PROSE + NOISE + PROSE,
    "every byte as text": PROSE + bytes(range(256)) + PROSE,
    "special tokens": b"<|endoftext|><|im_start|>" * 20,
    "utf-16": "Ночь, улица, фонарь, аптека.\r\n".encode("utf-16") * 20,
    "latin-1": "Où êtes-vous déjà allé?\n".encode("latin-1") * 30,
    "koi8-r, and a byte of none": "Ночь, улица, фонарь.\n".encode("koi8-r") * 30 + b"\xff",
    "gb18030": "我们在学校里学习，他们不知道。\n".encode("gb18030") * 30,
    # Every byte makes three, of UTF-8.
    "shift-jis": "\uff76\uff80\uff76\uff85\uff8a\uff9d\uff76\uff78".encode("cp932") * 90,
    "spaces": b" " * 3000,
    "emoji": "😀é".encode() * 200,
}


@pytest.fixture(scope="module")
def options(tiny_gguf):
    return CompressOptions(model=tiny_gguf, threads=1, parameters=Parameters(window=WINDOW))


def compress(data: bytes, options: CompressOptions) -> bytes:
    sink = io.BytesIO()
    summary = compress_stream(io.BytesIO(data), sink, options, len(data))
    assert summary.compressed == len(sink.getvalue()) and summary.original == len(data)
    return sink.getvalue()


def decompress(packed: bytes, options: CompressOptions) -> bytes:
    sink = io.BytesIO()
    summary, _ = decompress_stream(io.BytesIO(packed), sink, options.model)
    assert summary.compressed == len(packed) and summary.original == len(sink.getvalue())
    return sink.getvalue()


def backend_of(packed: bytes) -> str:
    model = header_of(packed).model
    assert model is not None
    return model.numerics.backend


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("streams", [0, 3])
def test_it_survives(name, streams, options):
    options = replace(options, streams=streams)
    assert decompress(compress(CASES[name], options), options) == CASES[name]


pieces = st.one_of(st.binary(max_size=300), st.sampled_from([PROSE[:700], NOISE[:700], b"\0" * 99]))


@settings(max_examples=25)
@given(st.lists(pieces, max_size=4).map(b"".join))
def test_any_bytes_survive(options, data):
    assert decompress(compress(data, options), options) == data


def test_the_same_input_gives_the_same_file(options):
    assert compress(CASES["both"], options) == compress(CASES["both"], options)


class Dribble(io.BytesIO):
    """Reads come in small parts."""

    def read(self, n=-1):
        return super().read(min(n, 333) if n > 0 else n)


def test_several_frames_and_reads_of_any_size(options):
    data = CASES["both"]
    sink = io.BytesIO()
    compress_stream(Dribble(data), sink, replace(options, block_size=1000))
    member = next(iter(MemberReader(io.BytesIO(sink.getvalue()))))
    assert len(list(member.frames())) == -(-len(data) // 1000)
    restored = io.BytesIO()
    decompress_stream(Dribble(sink.getvalue()), restored, options.model)
    assert restored.getvalue() == data


@pytest.fixture(scope="module")
def frames(options):
    """Two members, of several frames and of one; and the original."""
    several = compress(CASES["both"], replace(options, block_size=1000))
    return several + compress(PROSE, options), CASES["both"] + PROSE


RANGES = [(0, 1), (0, 1000), (999, 1001), (1500, 3500), (2000, 2000), (3000, 9000), (5000, 1 << 63)]


@pytest.mark.parametrize(("start", "stop"), RANGES)
def test_a_range_is_what_a_slice_is(options, frames, start, stop):
    packed, data = frames
    sink = io.BytesIO()
    wanted = range(start, stop)
    summary, _ = decompress_stream(io.BytesIO(packed), sink, options.model, wanted=wanted)
    assert sink.getvalue() == data[start:stop]
    assert summary.original == len(data[start:stop])


def test_a_range_decodes_only_its_frames(options, frames, monkeypatch):
    decoded = []

    def count(frame, *arguments):
        decoded.append(frame)
        return decode_frame(frame, *arguments)

    monkeypatch.setattr("nacrith.workers.in_process.decode_frame", count)
    decompress_stream(io.BytesIO(frames[0]), None, options.model, wanted=range(1900, 2100))
    assert len(decoded) == 2


def test_an_interrupted_run_is_gone_on_with(options):
    options = replace(options, block_size=1000)
    data = CASES["both"]
    whole = compress(data, options)
    for end in [0, 3, 20, 21, *range(30, len(whole), 97), len(whole) - 1, len(whole)]:
        part = io.BytesIO(whole[:end])
        summary = compress_stream(io.BytesIO(data), part, options, len(data), resume=True)
        assert part.getvalue() == whole
        assert summary.compressed == len(whole) and summary.original == len(data)


def test_damage_in_an_interrupted_run_is_written_anew(options):
    options = replace(options, block_size=1000)
    whole = compress(CASES["both"], options)
    spoiled = bytearray(whole)
    spoiled[len(whole) // 2] ^= 1
    part = io.BytesIO(bytes(spoiled))
    compress_stream(io.BytesIO(CASES["both"]), part, options, len(CASES["both"]), resume=True)
    assert part.getvalue() == whole


def test_an_interrupted_run_without_a_frame_begins_again(options):
    for start in (b"", b"NC06", compress(PROSE, options), compress(PROSE * 2, options)[:-1]):
        part = io.BytesIO(start)
        compress_stream(io.BytesIO(PROSE), part, options, len(PROSE), resume=True)
        assert part.getvalue() == compress(PROSE, options)


@pytest.mark.parametrize(
    ("data", "change"),
    [
        (CASES["both"][:-1500] + b"!" * 1500, {}),
        (b"!" + CASES["both"][1:], {}),
        (CASES["both"], {"block_size": 999}),
        (CASES["both"], {"parameters": Parameters(window=512)}),
    ],
)
def test_what_does_not_fit_is_not_gone_on_with(options, data, change):
    options = replace(options, block_size=1000)
    part = io.BytesIO(compress(CASES["both"], options))
    with pytest.raises(ResumeError, match="afresh with -f"):
        compress_stream(
            io.BytesIO(data), part, replace(options, **change), len(CASES["both"]), resume=True
        )


def test_input_that_can_not_be_sought(options):
    class Pipe(io.BytesIO):
        def seekable(self):
            return False

        def seek(self, *args):
            raise OSError("not seekable")

    packed = compress(PROSE, options)
    sink = io.BytesIO()
    decompress_stream(Pipe(packed), sink, options.model)
    assert sink.getvalue() == PROSE
    with pytest.raises(FormatError, match="truncated"):
        decompress_stream(Pipe(packed[:-3]), io.BytesIO(), options.model)


def test_concatenated_files_restore_to_concatenated_data(options):
    packed = compress(PROSE, options) + compress(b"", options) + compress(NOISE, options)
    assert decompress(packed, options) == PROSE + NOISE


@pytest.mark.parametrize(("name", "limit"), [("empty", 32), ("one byte", 44), ("noise", 48)])
def test_what_can_not_be_compressed_grows_by_a_few_dozen_bytes(name, limit, options):
    assert len(compress(CASES[name], options)) <= len(CASES[name]) + limit


def test_text_that_the_model_makes_larger_is_stored_without_it(options):
    # A random model needs more bits than the text has.
    packed = compress(PROSE[:100], options)
    assert header_of(packed).model is None
    assert len(packed) <= 100 + 45


def test_presets_are_stored_as_parameters(options, keep_text):
    for preset in (LEVELS[4], DEFAULT, BEST):
        chosen = replace(options, preset=preset, parameters=preset.parameters)
        packed = compress(CASES["both"], chosen)
        # The tiny model was trained on 2,048 positions.
        window = min(preset.parameters.window, 2048)
        assert header_of(packed).parameters == replace(preset.parameters, window=window)
        assert decompress(packed, options) == CASES["both"]


def test_a_long_text_that_is_to_be_one_stream_has_a_window_of_its_own(options, keep_text):
    usual = replace(DEFAULT.parameters, window=256)
    preset = replace(DEFAULT, parameters=usual, one_stream_window=512)
    options = replace(options, preset=preset, parameters=preset.parameters, streams=1)

    def window(text, **changed):
        packed = compress(text, replace(options, **changed))
        assert decompress(packed, options) == text
        return header_of(packed).parameters.window

    text = (PROSE * 2)[:1100]
    assert window(text) == 512
    assert window(text, block_size=600) == 512
    # What hardly fills the shorter one, or may have another stream.
    assert window(text[:1024]) == window(text, streams=2) == window(text, streams=0) == 256
    chosen, parameters = preset.chosen(256)
    assert window(text, preset=chosen, parameters=parameters) == 256


def test_only_a_users_window_is_too_long_for_a_model(options):
    asked = replace(options, preset=DEFAULT, parameters=BEST.parameters)
    with pytest.raises(NacrithError, match="--window 2048 or less"):
        compress(CASES["both"], asked)


def test_a_file_without_text_needs_no_model(options):
    packed = compress(NOISE, options)
    assert decompress(packed, replace(options, model=None)) == NOISE
    assert header_of(packed).model is None


@pytest.fixture
def text_options(options, keep_text):
    return options


def test_text_past_several_slides_of_the_window(text_options):
    data = PROSE * 3
    packed = compress(data, text_options)
    assert header_of(packed).model is not None
    assert decompress(packed, text_options) == data


def test_parameters_are_stored_and_obeyed(text_options):
    chosen = Parameters(window=512, sinks=7, bias_rate=20)
    packed = compress(PROSE, replace(text_options, parameters=chosen))
    assert header_of(packed).parameters == chosen
    assert decompress(packed, text_options) == PROSE


def test_every_flipped_bit_of_a_file_with_text(text_options):
    packed = compress(PROSE[:60], text_options)
    assert header_of(packed).model is not None
    for i in range(len(packed)):
        spoiled = bytearray(packed)
        spoiled[i] ^= 1 << (i % 8)
        with pytest.raises(NacrithError):
            decompress(bytes(spoiled), text_options)


def test_the_wrong_model_is_refused(text_options, tmp_path, tiny_gguf):
    packed = compress(PROSE, text_options)
    other = tmp_path / "other.gguf"
    other.write_bytes(tiny_gguf.read_bytes() + b"\0")
    with pytest.raises(ModelMismatchError, match="another model"):
        decompress(packed, replace(text_options, model=other))


def test_a_model_that_is_not_here(text_options, monkeypatch, tmp_path):
    packed = compress(PROSE, text_options)
    monkeypatch.setenv("NACRITH_MODELS", str(tmp_path))
    with pytest.raises(ModelNotFoundError, match="tiny"):
        decompress(packed, replace(text_options, model=None))


def test_a_model_in_the_models_folder_is_found(text_options, monkeypatch, tiny_gguf):
    packed = compress(PROSE, text_options)
    monkeypatch.setenv("NACRITH_MODELS", str(tiny_gguf.parent))
    assert decompress(packed, replace(text_options, model=None)) == PROSE


def test_other_numerics_stop_before_decoding_and_are_named(text_options, monkeypatch):
    from nacrith.codec import text_codec

    packed = compress(PROSE, replace(text_options, backend="llama.cpp"))
    monkeypatch.setattr(text_codec, "probe", lambda *args: 1)
    monkeypatch.setattr("predictors.language_models.llama_cpp.this_machine", lambda: "aarch64")
    with pytest.raises(ModelMismatchError, match=r"machine: file \w+, here aarch64"):
        decompress(packed, text_options)


def test_another_version_of_the_exact_numerics_is_refused(text_options, monkeypatch):
    packed = compress(PROSE, text_options)
    monkeypatch.setattr("nacrith.codec.model_choice.is_known", lambda *version: False)
    with pytest.raises(UnsupportedError, match="version 3 of the exact backend"):
        decompress(packed, text_options)


@pytest.mark.parametrize("backend", ["llama.cpp", "exact"])
def test_both_backends_make_files_that_open(text_options, backend):
    packed = compress(PROSE, replace(text_options, backend=backend))
    assert backend_of(packed) == backend
    assert decompress(packed, text_options) == PROSE


def test_auto_leaves_to_llama_cpp_what_the_exact_backend_lacks(text_options, monkeypatch):
    def refuse(*arguments):
        raise UnsupportedModelError("not this one")

    monkeypatch.setattr("predictors.language_models.exact.model.model_data", refuse)
    assert backend_of(compress(PROSE, text_options)) == "llama.cpp"
    with pytest.raises(NacrithError, match="not this one"):
        compress(PROSE, replace(text_options, backend="exact"))


def test_the_transformers_backend_runs_the_same_loop(text_options):
    options = replace(text_options, backend="transformers")
    data = PROSE[:700]
    packed = compress(data, options)
    assert backend_of(packed) == "transformers"
    assert decompress(packed, options) == data


@pytest.mark.parametrize(
    ("streams", "parameters"),
    [(-1, Parameters()), (10_000, Parameters()), (0, Parameters(window=100)),
     (0, Parameters(window=1 << 30)), (256, Parameters(window=2048)), (0, Parameters(sinks=0)),
     (0, Parameters(bias_rate=-1))],
)  # fmt: skip
def test_unusable_parameters(streams, parameters, options):
    with pytest.raises(NacrithError, match="must be"):
        compress(PROSE, replace(options, streams=streams, parameters=parameters))


def test_a_payload_claiming_too_many_symbols_does_not_run(text_options):
    codec = codec_for_compression(text_options.model, "llama.cpp", 1, Parameters(window=WINDOW))
    with pytest.raises(FormatError, match="symbols in 3 bytes"):
        next(codec.decode(b"abc", 10**9, 10**9))
    codec.close()


def test_random_payloads_give_errors_or_text_of_the_right_length(text_options):
    codec = codec_for_compression(text_options.model, "llama.cpp", 1, Parameters(window=WINDOW))
    for seed in range(5):
        try:
            *_, texts = codec.decode(random.Random(seed).randbytes(20), 20, 25)
            assert [known[:2] for known in texts.known()] == [(0, 25)]
        except FormatError as error:
            assert "length" in str(error) or "such streams" in str(error)
    codec.close()
