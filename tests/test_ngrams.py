"""n-grams of the training texts: counted right, found again, and of help where nothing repeats."""

import shutil
from collections import Counter, defaultdict

import numpy as np
import pytest

from coder.kernels import njit
from nacrith.codec import ngrams as module
from nacrith.codec.drafts import new_drafts
from nacrith.codec.ngrams import NOTHING, SHARES, follower, follower_of_pair, ngrams_of, no_ngrams
from nacrith.correction.count_ngrams import count, with_weights
from tests.test_guesser import guesses

V = 50


@pytest.fixture(autouse=True)
def not_kept():
    module._shipped.cache_clear()
    yield
    module._shipped.cache_clear()


@pytest.fixture(scope="module")
def texts() -> list[np.ndarray]:
    """Each token is mostly followed by one of a few; all but the last five are there."""
    random = np.random.default_rng(1)
    usual = random.integers(0, V - 5, (V, V, 3))
    found = []
    for n in (3000, 2000, 2, 1):
        text = [7, 8]
        while len(text) < n:
            text.append(usual[text[-2] % 9, text[-1], random.choice(3, p=[0.7, 0.2, 0.1])])
        found.append(np.array(text[:n], dtype=np.int32))
    return found


@njit
def _follower(ngrams, token):
    return follower(ngrams, token)


@njit
def _follower_of_pair(ngrams, first, second):
    return follower_of_pair(ngrams, first, second)


def likeliest(texts, n) -> dict[tuple[int, ...], tuple[int, int, int]]:
    """Context of n tokens → (what follows it most often, how often, of how many times)."""
    following: defaultdict[tuple[int, ...], Counter[int]] = defaultdict(Counter)
    for text in texts:
        for i in range(n, len(text)):
            following[tuple(text[i - n : i].tolist())][int(text[i])] += 1
    return {
        context: (*min(counts.items(), key=lambda item: (-item[1], item[0])), counts.total())
        for context, counts in following.items()
    }


def state(often, total):
    return sum(often / (total + 2) >= share for share in SHARES)


def test_all_that_was_counted_is_found(texts):
    ngrams = count(texts, V, 10**6)
    after_one, after_two = likeliest(texts, 1), likeliest(texts, 2)
    for first in range(V + 3):
        token, often, total = after_one.get((first,), (NOTHING, 0, 1))
        if not state(often, total):
            token, often = NOTHING, 0
        assert _follower(ngrams, first) == (token, state(often, total))
        for second in range(V + 3):
            pair = after_two.get((first, second))
            # What is seen once, or is what the second alone would say, is left out.
            if pair and pair[1] > 1 and pair[0] != after_one[second,][0]:
                assert _follower_of_pair(ngrams, first, second) == (pair[0], state(*pair[1:]))
            else:
                assert _follower_of_pair(ngrams, first, second) == (NOTHING, 0)


def test_the_pairs_that_gain_most_are_kept(texts):
    after_two = likeliest(texts, 2)

    def gains(n_pairs):
        ngrams = count(texts, V, n_pairs)
        firsts = np.repeat(np.arange(V), np.diff(ngrams.begins)).tolist()
        assert len(firsts) == len(ngrams.followers) == n_pairs
        pairs = zip(firsts, ngrams.seconds.tolist(), strict=True)
        return sorted(after_two[pair][1] for pair in pairs)

    few, more = gains(20), gains(40)
    assert few == more[20:] and more[0] < more[-1]


def test_nothing_is_said_of_an_unknown_vocabulary():
    for ngrams in (no_ngrams(), count([np.zeros(1, dtype=np.int32)], V)):
        assert _follower(ngrams, 0) == _follower(ngrams, 49_000) == (NOTHING, 0)
        assert _follower_of_pair(ngrams, 0, 0) == (NOTHING, 0)


def test_a_text_that_repeats_nothing_is_guessed(texts):
    *others, text = texts[:2]
    ngrams = with_weights(count(others, V), {"prose": others})
    text = text[:300][None]
    without, _, _ = guesses(text)
    steps, guessed, right = guesses(text, ngrams)
    assert steps < 0.75 * without
    assert right > 0.25 * guessed


def test_weights_are_those_of_drafts(texts):
    learned = with_weights(count(texts[:2], V), {"prose": texts[:1], "code": texts[1:2]})
    drafts = new_drafts(1, 10, 3, no_ngrams())
    for name in ("says", "says_not", "bias"):
        first, then = getattr(drafts, name), getattr(learned, name)
        assert first.shape == then.shape and first.dtype == then.dtype
        assert not np.array_equal(first, then)
    begun = new_drafts(1, 10, 3, learned)
    begun.says[:] = 0
    assert learned.says.any()


def test_the_default_vocabulary_has_some(real_vocabulary):
    ngrams = ngrams_of(real_vocabulary)
    (of,) = real_vocabulary.token_of_symbol[real_vocabulary.encode(b" of")]
    (the,) = real_vocabulary.token_of_symbol[real_vocabulary.encode(b" the")]
    assert _follower(ngrams, of)[0] == the
    assert len(new_drafts(1, 10, 3, ngrams).says) == len(ngrams.says) > 0
    assert real_vocabulary.token_of_symbol.max() < len(ngrams.likeliest)


def test_another_vocabulary_has_none(tiny_model):
    assert not len(ngrams_of(tiny_model.vocabulary).likeliest)


@pytest.mark.parametrize("damage", ["missing", "cut", "flipped", "empty", "of other arrays"])
def test_what_can_not_be_read_only_saves_no_time(damage, real_vocabulary, tmp_path, monkeypatch):
    path = tmp_path / "ngrams.npz"
    shutil.copy(module.SHIPPED, path)
    monkeypatch.setattr(module, "SHIPPED", path)
    assert len(ngrams_of(real_vocabulary).likeliest)
    module._shipped.cache_clear()
    data = path.read_bytes()
    if damage == "missing":
        path.unlink()
    elif damage == "of other arrays":
        np.savez(path, vocabulary=real_vocabulary.digest)
    else:
        middle = len(data) // 2
        flipped = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
        path.write_bytes({"cut": data[:middle], "flipped": flipped, "empty": b""}[damage])
    assert not len(ngrams_of(real_vocabulary).likeliest)
