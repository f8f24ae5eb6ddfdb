"""Binary segments: raw LZMA2 (lzma of the standard library), or stored."""

import lzma

from nacrith.container import LZMA, STORED
from nacrith.errors import FormatError

_MIN_DICTIONARY = 1 << 12


def _filters(size: int) -> list[dict[str, int]]:
    """LZMA2 with a dictionary that covers `size` bytes: both directions derive it."""
    dictionary = max(_MIN_DICTIONARY, 1 << (size - 1).bit_length())
    return [
        {
            "id": lzma.FILTER_LZMA2,
            "preset": 9 | lzma.PRESET_EXTREME,
            "dict_size": dictionary,
        }
    ]


def encode_binary(data: bytes) -> tuple[int, bytes]:
    """Return (method, payload), the smaller of LZMA and stored."""
    packed = lzma.compress(data, format=lzma.FORMAT_RAW, filters=_filters(len(data)))
    return (LZMA, packed) if len(packed) < len(data) else (STORED, data)


def decode_binary(method: int, payload: bytes, size: int) -> bytes:
    """Inverse of `encode_binary`; `size` is the original's length.

    Raises:
        FormatError: the payload is damaged. Never returns more than `size` bytes.
    """
    if method == STORED:
        data, clean = payload, True
    else:
        decoder = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=_filters(size))
        try:
            data = decoder.decompress(payload, max_length=size)
            # The end marker follows the last byte.
            while not decoder.eof and not decoder.needs_input and len(data) <= size:
                data += decoder.decompress(b"", max_length=1)
        except (lzma.LZMAError, EOFError) as error:
            raise FormatError(f"a frame's binary data is damaged: {error}") from error
        clean = decoder.eof and not decoder.unused_data
    if len(data) != size or not clean:
        raise FormatError("a frame's binary data is damaged: its length does not match")
    return data
