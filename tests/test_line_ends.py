"""Carriage returns are left out only where they come back exactly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacrith.transforms.line_ends import has_crlf_lines, with_cr, without_cr

TEXT = st.text(alphabet="ab \n\r\t\x0b", max_size=80).map(str.encode)
LINES = st.lists(st.sampled_from([b"", b"a", b"bc d", b" e"]), max_size=9).map(b"\r\n".join)


@given(LINES | TEXT)
def test_carriage_returns_come_back(text):
    if has_crlf_lines(text):
        assert b"\r" not in without_cr(text)
        assert with_cr(without_cr(text)) == text


@pytest.mark.parametrize("text", [b"", b"a\nb", b"a\r\nb\n", b"a\rb\r\n", b"a\r\r\n"])
def test_mixed_line_ends_stay_as_they_are(text):
    assert not has_crlf_lines(text)
