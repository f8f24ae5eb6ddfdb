"""Numbers of bytes and ranges as people write them."""

import pytest

from nacrith.cli.units import parse_bytes, parse_range


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", 0), ("4096", 4096), ("64K", 65536), ("64k", 65536), ("4M", 4 << 20), ("4MiB", 4 << 20),
     ("4 MB", 4 << 20), ("2g", 2 << 30), ("1T", 1 << 40), ("7B", 7)],
)  # fmt: skip
def test_numbers(text, value):
    assert parse_bytes(text) == value


@pytest.mark.parametrize("text", ["", "M", "-1", "1.5M", "4X", "4 M B", "0x10", "٤", "1_000"])
def test_what_is_no_number(text):
    with pytest.raises(ValueError, match="not a number of bytes"):
        parse_bytes(text)


def test_ranges():
    assert parse_range("1000:2K") == range(1000, 2048)
    assert parse_range(":5") == range(5)
    assert parse_range("3:") == range(3, 1 << 63)
    assert parse_range("3:3") == range(3, 3)
    for text in ("3", "4:3", "a:b", "1:2:3"):
        with pytest.raises(ValueError):
            parse_range(text)
