"""BPE from tables that are kept, against the library `tokenizers`."""

import numpy as np
import pytest

from nacrith.transforms.prompts import PROMPTS
from predictors.language_models.bpe import _MAX_WORD, new_bpe, tokenizer
from predictors.language_models.gguf_reader import GgufReader
from predictors.language_models.gguf_vocabulary import load_tokenizer, read_bpe
from predictors.language_models.pre_tokenizers import PRE_TOKENIZERS, WHOLE_WORDS
from tests.conftest import ROOT
from tests.gguf_files import USER_DEFINED, write_vocabulary
from tests.hard_texts import HARD_CASES, PLANES, WORDS

CODE = (ROOT / "nacrith" / "explain" / "page.js").read_bytes()
REPEATED = b"a" * 900 + b" " + b"ab" * 500 + b" " * 300 + b"\n" * 400 + b"-" * 200


def refuse(text):
    raise AssertionError("left to the library")


def assert_equal(path, texts, otherwise=refuse):
    bpe = read_bpe(GgufReader(path))
    assert bpe is not None
    ours, theirs = tokenizer(bpe, otherwise), load_tokenizer(path)
    for text in texts:
        assert list(ours(text)) == list(theirs(text)), text[:80]


@pytest.mark.parametrize("pre", sorted(PRE_TOKENIZERS.keys() - WHOLE_WORDS))
def test_it_spells_as_the_library_does(real_gguf, tiny_gguf, tmp_path, pre):
    texts = [WORDS.encode(), PLANES, CODE, REPEATED, *PROMPTS]
    for i, source in enumerate((real_gguf, tiny_gguf)):
        path = write_vocabulary(tmp_path / f"{i}.gguf", GgufReader(source), pre)
        assert_equal(path, texts)


def test_any_bytes_at_all(real_gguf):
    long = HARD_CASES["long word"]
    assert_equal(real_gguf, HARD_CASES.values(), load_tokenizer(real_gguf))
    with pytest.raises(AssertionError, match="left to"):
        assert_equal(real_gguf, [long])


def test_a_word_of_the_greatest_length(tiny_gguf):
    assert_equal(tiny_gguf, [b"b" * _MAX_WORD, b"the" + b"ea" * 500])
    with pytest.raises(AssertionError, match="left to"):
        assert_equal(tiny_gguf, [b"b" * (_MAX_WORD + 1)])


def test_what_merges_alone_do_not_spell_is_left_to_the_library(tiny_gguf, tmp_path):
    source = GgufReader(tiny_gguf)
    types = source.integers("tokenizer.ggml.token_type")
    path = write_vocabulary(tmp_path / "a.gguf", source, "smollm", [*types[:-1], USER_DEFINED])
    assert read_bpe(GgufReader(path)) is None
    for pre in (*WHOLE_WORDS, "falcon"):
        path = write_vocabulary(tmp_path / f"{pre}.gguf", source, pre)
        assert read_bpe(GgufReader(path)) is None


def test_the_first_of_two_equal_pairs_is_merged_and_lower_ranks_before():
    token_of = {piece: i for i, piece in enumerate(["a", "b", "aa", "ab", "aab", "aaaa"])}
    merges = [("a", "b"), ("a", "a"), ("aa", "aa"), ("aa", "b")]
    bpe = new_bpe("gpt-2", token_of, merges)
    assert bpe is not None and (np.diff(bpe.pairs) > 0).all()
    spell = tokenizer(bpe, refuse)
    names = list(token_of)
    found = {text: [names[t] for t in spell(text)] for text in (b"aab", b"aaa", b"aaaaa", b"")}
    assert found == {
        b"aab": ["a", "ab"], b"aaa": ["aa", "a"], b"aaaaa": ["aaaa", "a"], b"": [],
    }  # fmt: skip
    # A byte that has no token.
    assert [names[t] for t in spell(b"acb")] == ["a", "b"]
