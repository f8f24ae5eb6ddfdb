"""Charsets are told by the bytes, and all bytes come back."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nacrith.charset import CHARSETS, detect, from_utf8, to_utf8, utf16_order

FRENCH = "Déjà vu: l'été où l'on a mangé des crêpes à la crème.\n" * 9
CHINESE = "東京は日本の首都です。人口は世界で最も多い。\r\n" * 9


@pytest.mark.parametrize(
    ("text", "charset"),
    [
        (FRENCH.encode(), "utf-8"),
        (FRENCH.encode("latin-1"), "latin-1"),
        (FRENCH.encode("utf-16-le"), "utf-16-le"),
        (FRENCH.encode("utf-16-be"), "utf-16-be"),
        (b"\xff\xfe" + CHINESE.encode("utf-16-le"), "utf-16-le"),
        (b"\xfe\xff" + CHINESE.encode("utf-16-be"), "utf-16-be"),
        ("plain".encode("utf-16-le") * 9 + b"\0", "utf-8"),
        (b"", "utf-8"),
    ],
)
def test_charsets_are_told(text, charset):
    assert CHARSETS[detect(text)] == charset
    # Left as it is, it need not be UTF-8.
    assert from_utf8(to_utf8(text, detect(text)), detect(text)) == text


@given(st.one_of(st.binary(max_size=200), st.text(max_size=99).map(lambda t: t.encode("utf-16"))))
@example(b"\xff\xfe" + b"\0\xd8" * 20)
@example(b"a\0" * 20 + b"\0\xdc")
@example(b"\xff\xfe" + "\ud83d\ude00".encode("utf-16-le", "surrogatepass") * 20)
def test_all_bytes_come_back(data):
    charset = detect(data)
    assert from_utf8(to_utf8(data, charset), charset) == data


def test_binary_data_is_not_utf16():
    table = b"".join(i.to_bytes(2, "little") for i in range(200))
    assert utf16_order(table) == 0
    assert utf16_order(b"\xff\xfe" + table) == 0


def test_a_wrong_charset_is_an_error():
    with pytest.raises(UnicodeError):
        from_utf8("東京".encode(), 1)
    with pytest.raises(UnicodeError):
        from_utf8(b"\xff", 2)
