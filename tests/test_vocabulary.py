"""Any bytes at all survive, with the tiny vocabulary and with the real one."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictors.language_models.vocabulary import Vocabulary
from tests.hard_texts import HARD_CASES


@pytest.fixture(scope="module", params=["tiny", "real"])
def vocabulary(request, tiny_model, real_vocabulary) -> Vocabulary:
    return tiny_model.vocabulary if request.param == "tiny" else real_vocabulary


def check(vocabulary: Vocabulary, data: bytes) -> np.ndarray:
    symbols = vocabulary.encode(data)
    assert symbols.dtype == np.int32
    assert vocabulary.decode(symbols) == data
    assert vocabulary.lengths[symbols].sum() == len(data)
    return symbols


@pytest.mark.parametrize("name", HARD_CASES)
def test_hard_cases(vocabulary, name):
    check(vocabulary, HARD_CASES[name])


def test_every_single_byte_is_one_symbol(vocabulary):
    assert all(len(check(vocabulary, bytes([b]))) == 1 for b in range(256))


@given(st.binary(max_size=400))
def test_random_bytes(vocabulary, data):
    check(vocabulary, data)


@given(st.text(st.characters(codec=None), max_size=200))
def test_random_text(vocabulary, text):
    check(vocabulary, text.encode("utf-8", "surrogatepass"))


def test_random_bytes_in_linear_time(vocabulary):
    check(vocabulary, random.Random(3).randbytes(100_000))


def test_symbols_are_in_byte_order_and_spell_something(vocabulary):
    assert vocabulary.spellings == sorted(set(vocabulary.spellings))
    assert all(vocabulary.spellings)
    assert len(vocabulary.token_of_symbol) == len(vocabulary.offsets) == len(vocabulary)


def test_real_text_is_spelled_as_the_model_was_trained(real_vocabulary):
    symbols = check(real_vocabulary, b"The quick brown fox jumps over 13 lazy dogs.")
    words = [real_vocabulary.spellings[s] for s in symbols]
    assert words[:4] == [b"The", b" quick", b" brown", b" fox"]
    # Digits are single tokens in this model.
    assert b"1" in words and b"3" in words


def test_a_tokenizer_that_loses_bytes_is_corrected():
    spellings = [None, *[bytes([b]) for b in range(256)], b"ab", b"abc"]

    def careless(text: bytes) -> list[int]:
        return [1 + b for b in text.lower().replace(b" ", b"")]

    vocabulary = Vocabulary(spellings, careless, start_token=0)
    data = b"abc ABC " * 100 + b"abcabc"
    symbols = check(vocabulary, data)
    # Only the stretches that came back wrong are spelled greedily.
    assert b"abc" in {vocabulary.spellings[s] for s in symbols}


def test_bytes_without_tokens_share_what_is_spare():
    vocabulary = Vocabulary([None, None, b"a", b"bc"], lambda text: [], start_token=0)
    assert len(vocabulary) == 257
    borrowed = [s for s in range(257) if vocabulary.token_of_symbol[s] == 1]
    assert len(borrowed) == 255
    # 255 bytes share one token: its probability is divided, in whole bits.
    assert set(vocabulary.offsets[borrowed].tolist()) == {-8 << 16}
    check(vocabulary, bytes(range(256)))
