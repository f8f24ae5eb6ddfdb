"""GPT-2's byte-level alphabet: how byte-level BPE vocabularies print bytes.

Each of the 256 bytes is shown as one printable character: printable Latin-1
characters stand for themselves, the others are shifted to U+0100 and above
(Radford et al. 2019).
"""


def _alphabet() -> list[str]:
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    alphabet = [""] * 256
    for byte in printable:
        alphabet[byte] = chr(byte)
    shifted = 0x100
    for byte in range(256):
        if not alphabet[byte]:
            alphabet[byte] = chr(shifted)
            shifted += 1
    return alphabet


CHARACTER_OF_BYTE = _alphabet()
_BYTE_OF_CHARACTER = {character: byte for byte, character in enumerate(CHARACTER_OF_BYTE)}


def bytes_of_piece(piece: str) -> bytes | None:
    """The bytes a vocabulary entry spells; None if it is not byte-level text."""
    try:
        return bytes([_BYTE_OF_CHARACTER[character] for character in piece])
    except KeyError:
        return None
