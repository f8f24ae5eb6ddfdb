"""Varints and the bounded reader."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacrith.errors import FormatError
from nacrith.format.varint import Reader, to_varint


@given(st.lists(st.integers(0, 2**63 - 1)))
def test_they_survive(values):
    reader = Reader(b"".join(map(to_varint, values)), "test")
    assert [reader.varint() for _ in values] == values
    reader.end()


@pytest.mark.parametrize("value", [-1, 2**63])
def test_out_of_range(value):
    with pytest.raises(ValueError, match="range"):
        to_varint(value)


@pytest.mark.parametrize(
    "data", [b"", b"\x80", b"\x80\x00", b"\xff" * 9, b"\xff" * 20, b"\x80" * 8]
)
def test_malformed(data):
    with pytest.raises(FormatError, match="the test is damaged"):
        Reader(data, "test").varint()


def test_every_value_has_one_form():
    # Zero padding would let two files mean the same.
    with pytest.raises(FormatError):
        Reader(b"\x81\x00", "test").varint()


def test_the_reader_stays_inside():
    reader = Reader(b"\x03ab", "test")
    with pytest.raises(FormatError, match="longer than its part"):
        reader.string()
    with pytest.raises(FormatError, match="1 byte too many"):
        Reader(b"x", "test").end()
