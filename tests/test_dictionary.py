"""Texts that are read before the input."""

import io
import json

import numpy as np
import pytest

import nacrith
from nacrith.codec.dictionary import MAX_PARTS, parts_of
from nacrith.errors import DictionaryError, FormatError
from nacrith.format.container import MemberReader
from nacrith.format.dictionary import MAX_SIZE, dictionary_id
from nacrith.format.frame import Kind
from nacrith.format.header import Header, Metadata
from nacrith.format.parameters import Parameters
from nacrith.format.varint import Reader
from predictors.language_models.gguf_vocabulary import load_vocabulary
from tests.golden_cases import PARAGRAPHS, RANDOM, SENTENCE, TEXT
from tests.whole_files import frames_of

DICTIONARY = PARAGRAPHS.encode()[:900]


@pytest.fixture
def options(tiny_gguf):
    return {"model": tiny_gguf, "window": 256, "threads": 2}


def kinds_and_header(file):
    (member,) = MemberReader(io.BytesIO(file))
    return {kind for frame in member.frames() for kind in frame.payloads}, member.header


@pytest.mark.parametrize("streams", [1, 3])
@pytest.mark.parametrize("dictionary", [b"x", DICTIONARY, DICTIONARY * 9, RANDOM * 20], ids=len)
def test_text_of_the_model(options, tiny_gguf, keep_text, streams, dictionary):
    text = TEXT if streams == 1 else PARAGRAPHS.encode()
    packed = nacrith.compress(text, **options, streams=streams, dictionary=dictionary)
    kinds, header = kinds_and_header(packed)
    assert kinds == {Kind.TEXT} and header.dictionary == dictionary_id(dictionary)
    assert nacrith.decompress(packed, model=tiny_gguf, dictionary=dictionary) == text


def test_the_file_does_not_depend_on_threads_or_on_who_makes_it(options, keep_text):
    messages = [TEXT, TEXT[10:60], PARAGRAPHS.encode()]
    expected = [nacrith.compress(m, **options, dictionary=DICTIONARY) for m in messages]
    for threads in (1, 2):
        given = {**options, "threads": threads}
        with nacrith.Codec(**given, dictionary=DICTIONARY) as codec:
            for _ in range(2):
                assert list(codec.compress_many(messages)) == expected
                assert list(codec.decompress_many(expected)) == messages


@pytest.mark.parametrize("backend", ["llama.cpp"])
def test_other_backends_read_it_too(options, tiny_gguf, keep_text, backend):
    packed = nacrith.compress(TEXT, **options, backend=backend, dictionary=DICTIONARY)
    assert nacrith.decompress(packed, model=tiny_gguf, dictionary=DICTIONARY) == TEXT


def test_every_frame_begins_with_it(options, tiny_gguf, keep_text):
    text = TEXT * 3
    packed = nacrith.compress(text, **options, block_size=len(TEXT), dictionary=DICTIONARY)
    frames = frames_of(packed)
    assert len(frames) == 3 and frames[0].payloads == frames[2].payloads
    assert nacrith.decompress(packed, model=tiny_gguf, dictionary=DICTIONARY) == text


@pytest.mark.parametrize("level", [1, 2])
def test_context_mixing_reads_it(level):
    dictionary = b"".join(f'{{"key": "{word}", "n": 1}}\n'.encode() for word in SENTENCE.split())
    text = b'{"key": "harbour", "n": 1}\n{"key": "houses", "n": 1}\n'
    plain = nacrith.compress(text, level=level)
    packed = nacrith.compress(text, level=level, dictionary=dictionary)
    assert kinds_and_header(packed)[0] == {Kind.MIXED_TEXT}
    assert len(packed) < 0.75 * len(plain)
    assert nacrith.decompress(packed, dictionary=dictionary) == text
    with nacrith.Codec(level=level, dictionary=dictionary) as codec:
        for _ in range(3):
            assert codec.compress(text) == packed
            assert codec.decompress(packed) == text


def test_it_pays_with_the_model(options, keep_text):
    record = json.dumps({"user": "houses near stones", "text": "nets dried on stones"}).encode()
    plain = nacrith.compress(record, **options)
    packed = nacrith.compress(record, **options, dictionary=record.replace(b"near", b"far") * 3)
    assert len(packed) < 0.6 * len(plain)


def test_what_does_not_need_it_does_not_name_it(options):
    for data in (b"", RANDOM):
        packed = nacrith.compress(data, **options, dictionary=DICTIONARY)
        assert kinds_and_header(packed)[1].dictionary == b""
        assert nacrith.decompress(packed) == data
    plain = nacrith.compress(TEXT, level=1)
    assert nacrith.decompress(plain, dictionary=DICTIONARY) == TEXT
    assert nacrith.compress(TEXT, level=1, dictionary=b"") == plain


def test_without_it_or_with_another_one(options):
    packed = nacrith.compress(TEXT, level=1, dictionary=DICTIONARY)
    number = dictionary_id(DICTIONARY).hex()
    with pytest.raises(DictionaryError, match=f"{number}, and none was given; name it with -D"):
        nacrith.decompress(packed)
    with pytest.raises(DictionaryError, match=f"{number}, not the one given, which has"):
        nacrith.decompress(packed, dictionary=TEXT)
    given = [nacrith.compress(b""), packed]
    with (
        nacrith.Codec(dictionary=TEXT) as codec,
        pytest.raises(DictionaryError, match="message 1: "),
    ):
        list(codec.decompress_many(given))
    with pytest.raises(ValueError, match="a dictionary has at most"):
        nacrith.compress(b"", dictionary=bytes(MAX_SIZE + 1))
    with pytest.raises(TypeError):
        nacrith.compress(b"", dictionary="text")  # type: ignore[arg-type]


def test_file_objects(tmp_path):
    path = tmp_path / "a.nc"
    with nacrith.open(path, "wb", level=1, dictionary=DICTIONARY) as file:
        file.write(TEXT)
    with nacrith.open(path, dictionary=DICTIONARY) as file:
        assert file.read() == TEXT
    with nacrith.open(path) as file, pytest.raises(DictionaryError):
        file.read()


def test_the_bytes_of_a_header():
    given = Header(None, Parameters(), Metadata(0o644, 300), dictionary_id(b"abc"))
    # BLAKE2b of "abc" with a digest of 4 bytes, by another implementation: b2sum -l 32.
    assert given.to_bytes() == bytes.fromhex("12 a403 ac02 63906248")
    assert Header.read(Reader(given.to_bytes(), "header")) == (given, False)


def test_a_prompt_and_a_dictionary_exclude_each_other(options, keep_text):
    packed = nacrith.compress(TEXT, **options, dictionary=DICTIONARY)
    header = kinds_and_header(packed)[1]
    damaged = Header(header.model, Parameters(prompt=1), None, header.dictionary)
    with pytest.raises(FormatError, match="a prompt and a dictionary"):
        Header.read(Reader(damaged.to_bytes(), "header"))


def test_the_parts_that_are_read(tiny_gguf):
    vocabulary = load_vocabulary(tiny_gguf)
    whole = vocabulary.encode(PARAGRAPHS.encode() * 9)
    for n in (1, 191, 192, 193, 192 * MAX_PARTS, 192 * MAX_PARTS + 1):
        text = vocabulary.decode(whole[:n])
        symbols = vocabulary.encode(text)
        parts = parts_of(vocabulary, text, 256)
        read = symbols[-192 * MAX_PARTS :]
        assert np.concatenate(parts).tolist() == read.tolist()
        assert all(len(part) == 192 for part in parts[1:]) and 0 < len(parts[0]) <= 192


def test_the_command_line(nacrith, tmp_path):
    (tmp_path / "a.txt").write_bytes(TEXT)
    (tmp_path / "d").write_bytes(DICTIONARY)
    assert nacrith("compress", "-1", "-D", "d", "--rm", "a.txt").returncode == 0
    assert b"dictionary  needed, with the hash" in nacrith("info", "a.txt.nc").stdout
    assert nacrith("test", "--dictionary", "d", "a.txt.nc").returncode == 0
    assert nacrith("test", "--quick", "a.txt.nc").returncode == 0
    part = nacrith("decompress", "-D", "d", "--range", "3:9", "a.txt.nc")
    assert part.stdout == TEXT[3:9]
    for wrong, words in (
        ([], b"name it with -D FILE"),
        (["-D", "a.txt.nc"], b"not the one given"),
        (["-D", "none"], b"can't read the dictionary none"),
        (["-D", "."], b"can't read the dictionary ."),
    ):
        result = nacrith("decompress", *wrong, "a.txt.nc")
        assert result.returncode == 1 and words in result.stderr
        assert b"Traceback" not in result.stderr and not (tmp_path / "a.txt").exists()
    assert nacrith("decompress", "-D", "d", "a.txt.nc").returncode == 0
    assert (tmp_path / "a.txt").read_bytes() == TEXT
