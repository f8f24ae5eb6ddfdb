"""Which transforms of a text were made: coded in front of its tokens."""

from typing import TYPE_CHECKING, NamedTuple

from nacrith.errors import FormatError

if TYPE_CHECKING:
    from coder import BitCoder

CHARSETS = (
    "utf-8",
    "utf-16-le",
    "utf-16-be",
    "windows-1252",
    "windows-1251",
    "koi8-r",
    "koi8-u",
    "iso-8859-5",
    "cp866",
    "windows-1250",
    "iso-8859-2",
    "windows-1253",
    "iso-8859-7",
    "windows-1254",
    "windows-1255",
    "windows-1256",
    "gb18030",
    "big5",
    "shift-jis",
    "euc-jp",
    "euc-kr",
)
"""By number in the file; 0 = left as it is."""

# Probabilities in 2**-16.
_EVEN = 1 << 15
_NOT_UTF8 = 1 << 8
_CHARSET_BITS = 5


class Transforms(NamedTuple):
    """Which transforms were made.

    Attributes:
        charset: number of the charset the text came in (`CHARSETS`).
        crlf: lines ended in CR LF, now in LF.
        wrapped: some of the gaps between words were line breaks.
    """

    charset: int = 0
    crlf: bool = False
    wrapped: bool = False


NO_TRANSFORMS = Transforms()


def code_transforms(coder: "BitCoder", made: Transforms = NO_TRANSFORMS) -> Transforms:
    """Code which transforms were made; `made` is ignored when decoding.

    Raises:
        FormatError: there is no charset of that number.
    """
    charset = _code_charset(coder, made.charset)
    crlf = _code_flag(coder, made.crlf)
    wrapped = _code_flag(coder, made.wrapped)
    return Transforms(charset, crlf, wrapped)


def _code_flag(coder: "BitCoder", flag: bool, probability: int = _EVEN) -> bool:
    return bool(coder.code_bit(probability, int(flag)))


def _code_charset(coder: "BitCoder", charset: int) -> int:
    """Code the number of a charset; nearly all text is UTF-8."""
    if not _code_flag(coder, charset > 0, _NOT_UTF8):
        return 0
    number = 0
    for i in reversed(range(_CHARSET_BITS)):
        number |= _code_flag(coder, bool(charset >> i & 1)) << i
    if not 0 < number < len(CHARSETS):
        raise FormatError(f"a frame is damaged: it names charset {number}")
    return number
