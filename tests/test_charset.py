"""Charsets are told by the bytes, and all bytes come back."""

import base64
import hashlib
import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from coder import Decoder, Encoder
from nacrith.codec.segments import find_segments
from nacrith.errors import FormatError, UnsupportedError
from nacrith.format.frame import MAX_GROWTH, Kind, Segment
from nacrith.transforms import charset_table
from nacrith.transforms.charset import detect, from_utf8, to_utf8, utf16_order
from nacrith.transforms.charset_detection import is_convincing
from nacrith.transforms.charset_table import CODECS, ESCAPE, table_of
from nacrith.transforms.transforms_made import CHARSETS, code_transforms
from tests.charset_texts import JAPANESE, RUSSIAN, TEXTS

FRENCH = "Déjà vu: l'été où l'on a mangé des crêpes à la crème.\n" * 9
PARTS = {
    "iso8859-1": ("windows-1252", FRENCH),
    "iso8859-9": ("windows-1254", TEXTS["windows-1254"]),
}
NOISE = random.Random(1).randbytes(3000)


@pytest.mark.parametrize(
    ("text", "charset"),
    [
        (FRENCH.encode(), "utf-8"),
        (FRENCH.encode("utf-16-le"), "utf-16-le"),
        (FRENCH.encode("utf-16-be"), "utf-16-be"),
        (b"\xff\xfe" + JAPANESE.encode("utf-16-le"), "utf-16-le"),
        (b"\xfe\xff" + JAPANESE.encode("utf-16-be"), "utf-16-be"),
        ("plain".encode("utf-16-le") * 9 + b"\0", "utf-8"),
        (b"", "utf-8"),
        (b"plain\n" * 9, "utf-8"),
        (JAPANESE.encode() + b"\xe9t\xe9", "utf-8"),
        ("Sign for what is no character: \ufffd.\n".encode() * 9, "utf-8"),
        *((text.encode(CODECS[charset]), charset) for charset, text in TEXTS.items()),
        *((text.encode(codec), charset) for codec, (charset, text) in PARTS.items()),
    ],
)
def test_charsets_are_told(text, charset):
    assert CHARSETS[detect(text)] == charset
    # Left as it is, it need not be UTF-8.
    assert from_utf8(to_utf8(text, detect(text)), detect(text)) == text
    if detect(text):
        assert to_utf8(text, detect(text)).decode().lstrip("\ufeff") == text.decode(
            CODECS.get(charset, charset)
        ).lstrip("\ufeff")


@pytest.mark.parametrize("charset", TEXTS)
@pytest.mark.parametrize("stray", [b"\xff", b"\x80\x81", "é – ы".encode(), b"\xe9", b"\x00"])
def test_a_few_bytes_of_another_charset_change_nothing(charset, stray):
    text = TEXTS[charset].encode(CODECS[charset]) * 4
    middle = text.index(b"\n", len(text) // 2) + 1
    mixed = text[:middle] + stray + text[middle:]
    assert CHARSETS[detect(mixed)] == charset
    number = detect(mixed)
    assert from_utf8(to_utf8(mixed, number), number) == mixed
    assert to_utf8(mixed, number).startswith(to_utf8(text[:middle], number))
    assert find_segments(mixed) == [Segment(Kind.TEXT, len(mixed))]


@given(st.one_of(st.binary(max_size=200), st.text(max_size=99).map(lambda t: t.encode("utf-16"))))
@example(b"\xff\xfe" + b"\0\xd8" * 20)
@example(b"a\0" * 20 + b"\0\xdc")
@example(b"\xff\xfe" + "\ud83d\ude00".encode("utf-16-le", "surrogatepass") * 20)
def test_all_bytes_come_back(data):
    charset = detect(data)
    assert from_utf8(to_utf8(data, charset), charset) == data


@given(
    st.sampled_from(sorted(CODECS)),
    st.lists(
        st.one_of(
            st.binary(max_size=9),
            st.text(max_size=9).map(lambda t: t.encode("utf-8")),
            st.text(max_size=9).map(lambda t: t.encode("gb18030")),
            # The characters of the escapes themselves, where a charset has them.
            st.integers(ESCAPE, ESCAPE + 255).map(lambda c: chr(c).encode("gb18030")),
            st.sampled_from([text.encode(CODECS[name]) for name, text in TEXTS.items()]),
        ),
        max_size=6,
    ).map(b"".join),
)
def test_all_bytes_come_back_in_every_charset(charset, data):
    number = CHARSETS.index(charset)
    transcoded = to_utf8(data, number)
    assert from_utf8(transcoded, number) == data
    assert len(transcoded) <= MAX_GROWTH * len(data)


@pytest.mark.parametrize("charset", sorted(CODECS))
def test_tables_are_those_of_python_but_for_doubles(charset):
    """Of all one- and two-byte sequences."""
    table, codec = table_of(charset), CODECS[charset]
    high = range(0x80, 0x100)
    for code in (
        *(bytes([b]) for b in range(256)),
        *(bytes([a, b]) for a in high for b in range(256)),
    ):
        try:
            expected = code.decode(codec)
        except UnicodeDecodeError:
            assert code not in table.char_of
            continue
        if code in table.char_of:
            assert table.char_of[code] == expected
            assert table.code_of[expected] == code
        elif len(expected) == 1:
            other = table.code_of[expected]
            assert other < code or (charset == "shift-jis" and code[0] in (0xED, 0xEE))


# SHA-256 of what comes of all one-byte sequences, and all two-byte ones that begin with a
# byte from 80 on, each with a line feed behind it.
FROZEN = {
    "big5": "f95273ffe7552b1e1123503a372ffde9",
    "cp866": "9d13812cf5ca2481630efc3bd754a131",
    "euc-jp": "c09786215ca304831f28efdc0392984f",
    "euc-kr": "c7b9309b2396c27e25a4f818571588cf",
    "gb18030": "7e03e20c18bc10e29b68ac2919359228",
    "iso-8859-2": "0510d2fcf44900634857c96afd5119a5",
    "iso-8859-5": "363ca43b8f5353e9e22996809af1fab7",
    "iso-8859-7": "496e4f029b36312010da26fea63a7bb9",
    "koi8-r": "fb1b354af4fc06ec863d8fed99131cd0",
    "koi8-u": "6d42ae1bd373a81c30a35d86fdfcb1ea",
    "shift-jis": "d72e4a1e7af79fd31bd1056930080d06",
    "windows-1250": "dcd9cef1b0988499f7d4f74c551b4937",
    "windows-1251": "54ad2f43a571d3fe57079fbca8ea3dab",
    "windows-1252": "3297d7904f1874c5e47d2fa51e3e39f4",
    "windows-1253": "379063fc40a10f22844adb916d256e88",
    "windows-1254": "1f653c97803069eafa08a4a568acbb97",
    "windows-1255": "38fc2824d9d8b8ca1efbfc145c7ac480",
    "windows-1256": "b8a7535714e1abda7db57140ad4a0540",
}


@pytest.mark.parametrize("charset", sorted(CODECS))
def test_no_character_may_ever_change(charset):
    sequences = [bytes([b]) for b in range(256)]
    sequences += [bytes([a, b]) for a in range(0x80, 0x100) for b in range(256)]
    found = to_utf8(b"\n".join(sequences), CHARSETS.index(charset))
    assert hashlib.sha256(found).hexdigest()[:32] == FROZEN[charset]


def test_four_bytes_of_gb18030():
    """All characters there are, as in Python, whose codec is of the edition of the year 2000."""
    table = table_of("gb18030")
    for begin in range(0x80, 0x110000, 0x1000):
        chars = [chr(c) for c in range(begin, min(begin + 0x1000, 0x110000))]
        chars = [c for c in chars if not 0xD800 <= ord(c) < 0xE000]
        chars = [c for c in chars if not ESCAPE + 0x80 <= ord(c) < ESCAPE + 0x100]
        text = "".join(chars)
        coded = text.encode("gb18030")
        assert table.encode(text) == coded
        if begin % 0x10000 == 0x80:
            assert table.decode(coded) == text
    assert table.decode(b"\x90\x30\x81\x30\xe3\x32\x9a\x35") == "\U00010000\U0010ffff"
    # Behind the last character.
    assert table.decode(b"\xe3\x32\x9a\x36").startswith(chr(ESCAPE + 0xE3))


def test_another_table_is_refused(monkeypatch):
    text = RUSSIAN.encode("cp1251")
    number = CHARSETS.index("windows-1251")
    transcoded = to_utf8(text, number)
    table_of.cache_clear()
    monkeypatch.setitem(charset_table.DIGESTS, "windows-1251", "0")
    try:
        assert detect(text) == 0
        with pytest.raises(UnsupportedError, match=r"windows-1251.* use nacrith with Python"):
            from_utf8(transcoded, number)
    finally:
        table_of.cache_clear()


def test_a_later_gb18030_of_python_changes_nothing(monkeypatch):
    """The edition of 2022 has U+FE10 where that of 2000 has one of private use."""
    table_of.cache_clear()
    monkeypatch.setattr(
        charset_table,
        "_decoded",
        lambda code, codec: "\ufe10" if code == b"\xa6\xd9" else code.decode(codec),
    )
    try:
        assert table_of("gb18030").char_of[b"\xa6\xd9"] == "\ue78d"
    finally:
        table_of.cache_clear()


def test_binary_data_is_not_utf16():
    table = b"".join(i.to_bytes(2, "little") for i in range(200))
    assert utf16_order(table) == 0
    assert utf16_order(b"\xff\xfe" + table) == 0


def test_the_number_of_a_charset_is_checked():
    for number in range(1 << 5):
        coder = Encoder()
        coder.code_bit(1 << 8, 1)
        for i in reversed(range(5)):
            coder.code_bit(1 << 15, number >> i & 1)
        decoder = Decoder(coder.finish())
        if 0 < number < len(CHARSETS):
            assert code_transforms(decoder).charset == number
        else:
            with pytest.raises(FormatError, match=f"names charset {number}"):
                code_transforms(decoder)


def test_a_wrong_charset_is_an_error():
    with pytest.raises(UnicodeError):
        from_utf8("東京".encode(), CHARSETS.index("windows-1252"))
    for charset in ("utf-16-le", "windows-1251"):
        with pytest.raises(UnicodeError):
            from_utf8(b"\xff", CHARSETS.index(charset))


@pytest.mark.parametrize("charset", TEXTS)
@pytest.mark.parametrize("repeats", [1, 40])
def test_text_in_a_charset_is_one_segment(charset, repeats):
    text = TEXTS[charset].encode(CODECS[charset]) * repeats
    assert find_segments(text) == [Segment(Kind.TEXT, len(text))]
    kinds = [s.kind for s in find_segments(NOISE + text * 4 + NOISE)]
    assert kinds == [Kind.MIXED, Kind.TEXT, Kind.MIXED]


def test_no_binary_data_is_taken_for_text():
    rng = random.Random(4)
    n = 4000
    walk = [160]
    while len(walk) < n:
        walk.append(min(255, max(128, walk[-1] + rng.choice((-1, 0, 1)))))
    binaries = [
        bytes(walk),
        bytes(min(255, max(33, round(rng.gauss(230, 6)))) for _ in range(n)),
        bytes(min(255, max(33, round(rng.gauss(180, 6)))) for _ in range(n)),
        bytes(rng.randrange(128, 256) for _ in range(n)),
        bytes(rng.randrange(0xA1, 0xFF) for _ in range(n)),
        b"\xff\xff\xff\xfe" * (n // 4),
        # A table of jumps.
        b"".join((-rng.randrange(0x2000, 0x8000)).to_bytes(4, "little", signed=True) for _ in walk),
        base64.b64encode(bytes(walk)),
    ]
    for data in binaries:
        for size in (16, 100, 256, n):
            assert not is_convincing(data[:size]), (data[:20], size)
