"""The vocabulary of a GGUF, read without llama.cpp, against llama.cpp's reading of it."""

import subprocess
import sys
import zlib
from pathlib import Path

import gguf
import pytest

from nacrith.transforms.prompts import PROMPTS
from predictors.base import ModelError
from predictors.language_models import llama_cpp
from predictors.language_models.gguf_reader import GgufReader
from predictors.language_models.gguf_vocabulary import load_vocabulary
from predictors.language_models.pre_tokenizers import PRE_TOKENIZERS
from tests.conftest import ROOT
from tests.gguf_files import UNKNOWN, UNUSED, USER_DEFINED, write_vocabulary
from tests.hard_texts import HARD_CASES, PLANES, WORDS

# Of the tokens of each prompt with the embedded model: their number and CRC-32.
PROMPT_TOKENS = [(0, 0), (272, 511328158), (110, 1276391783)]


def assert_equal(path: Path, texts: list[bytes]) -> None:
    ours, theirs = load_vocabulary(path), llama_cpp.load_vocabulary(path)
    assert ours.spellings == theirs.spellings
    assert (ours.token_of_symbol == theirs.token_of_symbol).all()
    assert (ours.offsets == theirs.offsets).all()
    assert ours.start_token == theirs.start_token
    for text in texts:
        assert (ours.encode(text) == theirs.encode(text)).all(), text[:80]


def test_the_tiny_model(tiny_gguf):
    assert_equal(tiny_gguf, [WORDS.encode(), PLANES, *HARD_CASES.values(), *PROMPTS])


@pytest.mark.parametrize("pre", PRE_TOKENIZERS)
def test_each_way_to_cut_words(real_gguf, tmp_path, pre):
    """With the embedded model's tokens: of those with gaps, words are spelled one way only."""
    path = write_vocabulary(tmp_path / "a.gguf", GgufReader(real_gguf), pre)
    source = (ROOT / "nacrith" / "explain" / "page.js").read_bytes()
    assert_equal(path, [WORDS.encode(), PLANES, source, *HARD_CASES.values(), *PROMPTS])


@pytest.mark.parametrize("pre", PRE_TOKENIZERS)
def test_tokens_of_digits_and_tokens_without_a_merge(tiny_gguf, tmp_path, pre):
    """The embedded model has none of them."""
    source = GgufReader(tiny_gguf)
    tokens = source.strings("tokenizer.ggml.tokens")
    new = [b"12", b"123", b"1234", b"1234567", b"sea"]
    merges = [b"1 2", b"12 3", b"123 4"]
    types = source.integers("tokenizer.ggml.token_type") + [1] * len(new)
    path = write_vocabulary(
        tmp_path / "a.gguf", source, pre, types, tokens=tokens + new, merges=merges
    )
    assert_equal(path, [b"12 123 1234 12345 123456 1234567 12345678 sea", b"sea 1234567 seas"])


def test_an_unknown_way_to_cut_words_is_left_to_llama_cpp(tiny_gguf, tmp_path):
    path = write_vocabulary(tmp_path / "a.gguf", GgufReader(tiny_gguf), "falcon")
    assert_equal(path, [WORDS.encode()])


def test_tokens_of_all_types(tiny_gguf, tmp_path):
    source = GgufReader(tiny_gguf)
    tokens = source.strings("tokenizer.ggml.tokens")
    types = source.integers("tokenizer.ggml.token_type")
    tokens[-3:] = [b"<tool call>", b"unused", "Ġunknown".encode()]
    types[-3:] = [USER_DEFINED, UNUSED, UNKNOWN]
    # The last merges made these tokens.
    merges = [
        merge
        for merge in source.strings("tokenizer.ggml.merges")
        if merge.replace(b" ", b"") in tokens
    ]
    path = write_vocabulary(
        tmp_path / "a.gguf", source, "smollm", types, tokens=tokens, merges=merges
    )
    assert_equal(path, [WORDS.encode(), b"a <tool call> and a <tool  call> unused unknown"])
    vocabulary = load_vocabulary(path)
    assert b"<tool call>" in [vocabulary.spellings[i] for i in vocabulary.encode(b"a<tool call>b")]
    assert b"unused" not in vocabulary.spellings and b" unknown" in vocabulary.spellings


def test_the_tokens_of_the_prompts(real_vocabulary):
    """Both directions feed them to the model: no release of a library may change them."""
    found = [real_vocabulary.token_of_symbol[real_vocabulary.encode(text)] for text in PROMPTS]
    checksums = [(len(tokens), zlib.crc32(tokens.astype("<i4").tobytes())) for tokens in found]
    assert checksums == PROMPT_TOKENS


@pytest.mark.parametrize("load", [load_vocabulary, llama_cpp.load_vocabulary])
def test_a_missing_file(tmp_path, load):
    with pytest.raises(ModelError, match="can't read"):
        load(tmp_path / "none.gguf")


@pytest.mark.parametrize("load", [load_vocabulary, llama_cpp.LlamaCppModel])
@pytest.mark.parametrize("content", [b"", b"not a model", b"GGUF", b"GGUF\3\0\0\0" + b"\xff" * 64])
def test_a_file_that_is_no_model(tmp_path, content, load):
    path = tmp_path / "bad.gguf"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"bad\.gguf"):
        load(path)


def test_a_vocabulary_that_is_not_byte_level(tmp_path):
    path = tmp_path / "spm.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_tokenizer_model("llama")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    with pytest.raises(ModelError, match="byte-level"):
        load_vocabulary(path)


@pytest.mark.parametrize(
    "change", [{"types": [1, 2, 3]}, {"merges": [b"the nothing"]}], ids=["types", "merges"]
)
def test_a_damaged_vocabulary(tiny_gguf, tmp_path, change):
    path = write_vocabulary(tmp_path / "a.gguf", GgufReader(tiny_gguf), "smollm", **change)
    with pytest.raises(ModelError, match="damaged"):
        load_vocabulary(path)


WITHOUT_LLAMA_CPP = """import sys
sys.modules["llama_cpp"] = None
from nacrith.cli import main
main()"""


def test_the_exact_backend_works_without_llama_cpp(tiny_gguf, tmp_path):
    def run(*arguments: object) -> subprocess.CompletedProcess:
        command = [sys.executable, "-c", WITHOUT_LLAMA_CPP, *map(str, arguments)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    text, packed = tmp_path / "a.txt", ROOT / "tests" / "golden" / "text.nc"
    result = run("decompress", packed, "--model", tiny_gguf, "-o", text)
    assert result.returncode == 0, result.stderr
    options = (text, "--model", tiny_gguf, "-o", tmp_path / "a.nc", "--window", 256)
    result = run("compress", *options)
    assert result.returncode == 0, result.stderr
    result = run("compress", "-f", "--backend", "llama.cpp", *options)
    assert result.returncode == 1
    assert "pip install 'nacrith[llama-cpp]'" in result.stderr and "Traceback" not in result.stderr


def test_the_transformers_backend_does_not_import_llama_cpp():
    """With empty modules for the libraries that it does need, which take seconds."""
    code = (
        "import sys, types\n"
        "sys.modules.update(torch=types.ModuleType('torch'), llama_cpp=None,\n"
        "    transformers=types.ModuleType('transformers'))\n"
        "import predictors.language_models.transformers_lm"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
