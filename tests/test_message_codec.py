"""Many calls over one model, and many messages side by side."""

import io
import multiprocessing
import os
import threading

import pytest

import nacrith
from nacrith.codec import text_codec
from nacrith.codec.loaded_models import LoadedModels, load_model
from nacrith.codec.stream_texts import StreamTexts
from nacrith.errors import FormatError
from nacrith.format.container import MemberReader
from nacrith.format.frame import Kind
from predictors.language_models.exact.model import ExactSession
from tests.conftest import keep_in_model
from tests.golden_cases import PARAGRAPHS, RANDOM, SENTENCE

WORDS = SENTENCE.split()
MESSAGES = [
    f'{{"id": {i}, "text": "{" ".join(WORDS[i : i + 4 + i * 5 % 13])}"}}'.encode()
    for i in range(20)
]


@pytest.fixture
def options(tiny_gguf):
    return {"model": tiny_gguf, "window": 256, "threads": 2}


@pytest.fixture
def codec(options):
    with nacrith.Codec(**options) as codec:
        yield codec


@pytest.fixture(scope="module")
def mixed(tiny_gguf):
    """Originals and files of all kinds, the model's among them."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        keep_in_model(monkeypatch)
        options = {"model": tiny_gguf, "window": 256, "threads": 1}
        originals = [
            *MESSAGES[:9],
            b"",
            RANDOM,
            PARAGRAPHS.encode(),
            *MESSAGES[9:],
            MESSAGES[0] * 9,
        ]
        files = [nacrith.compress(data, **options) for data in originals]
        originals += [MESSAGES[0] + MESSAGES[1], MESSAGES[2] * 3, MESSAGES[3], PARAGRAPHS.encode()]
        files += [
            files[0] + files[1],
            nacrith.compress(originals[-3], **options, block_size=len(MESSAGES[2])),
            nacrith.compress(originals[-2], **{**options, "window": 512}),
            nacrith.compress(originals[-1], **options, streams=3),
        ]
        return originals, files


def kinds(file):
    return {kind for member in MemberReader(io.BytesIO(file)) for frame in member.frames()
            for kind in frame.payloads}  # fmt: skip


def test_each_file_is_what_a_call_alone_makes(codec, options):
    files = list(codec.compress_many(MESSAGES[:6]))
    assert files == [nacrith.compress(message, **options) for message in MESSAGES[:6]]
    assert [codec.compress(message) for message in MESSAGES[:6]] == files
    assert list(codec.decompress_many(files)) == MESSAGES[:6]


def test_files_of_the_model_are_what_a_call_alone_makes(codec, mixed, keep_text):
    originals, files = mixed
    assert Kind.TEXT in kinds(files[0])
    assert list(codec.compress_many(originals[:23])) == files[:23]


@pytest.mark.parametrize("most", [1, 3, 64])
def test_any_files_are_restored_together(codec, mixed, monkeypatch, most):
    """With more than 24 rows there are two sessions; many batches, batches of one."""
    monkeypatch.setattr(text_codec, "_MOST_TOGETHER", most)
    monkeypatch.setattr("predictors.language_models.exact.model._MIN_STREAMS_TO_HALVE", 4)
    originals, files = mixed
    assert list(codec.decompress_many(files)) == originals
    assert list(codec.decompress_many(reversed(files))) == originals[::-1]
    assert [codec.decompress(file) for file in files[-5:]] == originals[-5:]


def test_texts_share_the_steps_of_the_model(codec, mixed, monkeypatch):
    steps = []
    step = ExactSession.step

    def counted(self, tokens):
        steps.append(len(tokens))
        return step(self, tokens)

    monkeypatch.setattr(ExactSession, "step", counted)
    originals, files = mixed
    assert list(codec.decompress_many(files[:9])) == originals[:9]
    # As many as the longest has, each with a row for those that have not ended.
    assert steps[0] == 9 and steps == sorted(steps, reverse=True) and steps[-1] == 1


def test_a_damaged_message_is_named_and_those_before_it_are_there(codec, mixed):
    originals, files = mixed
    position = files[5].index(b"NC06") + len(files[5]) // 2
    broken = files[5][:position] + bytes([files[5][position] ^ 1]) + files[5][position + 1 :]
    given = [*files[:5], broken, *files[6:9]]
    restored = []
    with pytest.raises(FormatError, match="message 5: ") as caught:
        for original in codec.decompress_many(given):
            restored.append(original)
    assert caught.value.index == 5
    assert restored == originals[:5]
    assert list(codec.decompress_many(given[6:])) == originals[6:9]


def test_damage_that_only_a_check_finds_is_of_one_message(codec, mixed, monkeypatch):
    """As another payload would be whose checksum is right."""
    originals, files = mixed
    monkeypatch.setattr(StreamTexts, "after_step", _fail_at(originals[2]))
    restored = codec.decompress_many(files[:6])
    assert [next(restored), next(restored)] == originals[:2]
    with pytest.raises(FormatError, match="message 2: early"):
        next(restored)


def _fail_at(original):
    after_step = StreamTexts.after_step

    def fail(self, step, done):
        if len(self.original) == len(original) and step == 3:
            raise FormatError("early")
        return after_step(self, step, done)

    return fail


def test_wrong_arguments(codec, mixed):
    originals, files = mixed
    restored = codec.decompress_many([files[0], "text"])
    assert next(restored) == originals[0]
    with pytest.raises(TypeError, match="message 1: "):
        next(restored)
    packed = codec.compress_many([b"", None])
    assert next(packed)
    with pytest.raises(TypeError, match="message 1: "):
        next(packed)
    with pytest.raises(TypeError):
        codec.decompress(None)
    with pytest.raises(ValueError, match="the level"):
        nacrith.Codec(level=10)
    with pytest.raises(nacrith.NacrithError, match="the model"):
        nacrith.Codec(model="no.gguf")


def test_messages_are_taken_as_they_come(codec):
    taken = []

    def messages():
        for message in MESSAGES:
            taken.append(message)
            yield message

    packed = codec.compress_many(messages())
    assert not taken
    next(packed)
    assert len(taken) == 1
    assert list(codec.decompress_many(iter([]))) == []


def test_both_directions_share_one_model(options, monkeypatch):
    loaded = []

    def counted(*given):
        loaded.append(given)
        return load_model(*given)

    monkeypatch.setattr("nacrith.codec.loaded_models.load_model", counted)
    text = PARAGRAPHS.encode()
    with nacrith.Codec(**options) as codec:
        assert codec.decompress(codec.compress(text)) == text
        assert codec.decompress(nacrith.compress(text, **{**options, "window": 512})) == text
        assert len(loaded) == 1


def test_models_are_found_again_by_what_was_asked_for(tiny_gguf):
    models = LoadedModels(threads=1)
    exact = models.load("auto", tiny_gguf, 2)
    assert models.load("exact", tiny_gguf, 0) is exact
    other = models.load("llama.cpp", tiny_gguf, 1)
    assert other is not exact and models.load("llama.cpp", tiny_gguf, 1) is other
    models.close()


def test_threads_wait_for_each_other(codec, mixed):
    originals, files = mixed
    found = {}

    def work(i):
        found[i] = codec.decompress(files[i]), codec.compress(originals[i])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[i][0] for i in range(6)] == originals[:6]
    assert [codec.decompress(found[i][1]) for i in range(6)] == originals[:6]


def test_a_closed_codec_is_of_no_use(options):
    codec = nacrith.Codec(**options)
    codec.close()
    codec.close()
    for use in (codec.compress, codec.decompress):
        with pytest.raises(ValueError, match="closed"):
            use(b"")
    with pytest.raises(ValueError, match="closed"):
        next(codec.compress_many([b""]))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_child_is_told(codec):
    def child(pipe):
        try:
            codec.compress(b"x")
        except nacrith.NacrithError as error:
            pipe.send(str(error))

    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=child, args=(there,))
    process.start()
    process.join(20)
    assert here.poll() and "fork" in here.recv()
