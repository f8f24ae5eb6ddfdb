"""Mutated containers: the right bytes or a NacrithError. `python -m tests.faults` tries more."""

import zlib
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.faults import mutants
from tests.faults.lab import Broken
from tests.faults.mutants import Samples, mutate, outcome, with_right_checksums


@pytest.fixture(scope="module")
def samples(tiny_gguf):
    return Samples.make(tiny_gguf)


def test_valid_files_and_joined_ones_give_the_right_bytes(samples):
    for packed in samples.packed:
        assert outcome(packed, samples) == "right bytes"
    assert outcome(samples.packed[1] + samples.packed[2], samples) == "right bytes"


@settings(max_examples=300)
@given(seed=st.integers(0, 2**32))
def test_changes_at_random(samples, seed):
    assert outcome(mutate(Random(seed), samples.packed), samples)


@settings(max_examples=100)
@given(seed=st.integers(0, 2**32), which=st.integers(0, 10))
def test_changes_with_right_checksums(samples, seed, which):
    assert outcome(with_right_checksums(Random(seed), samples.packed[which]), samples)


def test_the_checksums_are_right(samples, monkeypatch):
    """Without a change the function gives back the file."""
    monkeypatch.setattr(mutants, "_change", lambda *arguments: None)
    for packed in samples.packed:
        assert with_right_checksums(Random(1), packed) == packed


def test_wrong_bytes_are_noticed(samples, monkeypatch):
    """If the hashes of frames were not compared, this would show it."""
    noise = samples.packed[1]
    body = bytearray(noise)
    body[100] ^= 1
    spoiled = bytes(body[:-4]) + zlib.crc32(body[:-4]).to_bytes(4, "little")
    assert outcome(spoiled, samples) == "refused"
    monkeypatch.setattr("nacrith.codec.frame_decoder.check_of", lambda block: _EqualToAll())
    with pytest.raises(Broken, match="wrong bytes"):
        outcome(spoiled, samples)


class _EqualToAll(bytes):
    def __ne__(self, other: object) -> bool:
        return False


def test_a_foreign_exception_is_noticed(samples, monkeypatch):
    def fail(*arguments):
        raise IndexError

    monkeypatch.setattr("nacrith.codec.binary_codec.decode_binary", fail)
    with pytest.raises(Broken, match="IndexError"):
        outcome(samples.packed[1], samples)
