"""Carriage returns: where every line ends in CR LF, the CRs are left out."""


def has_crlf_lines(text: bytes) -> bool:
    """Does every line end in CR LF, with no other CR or LF anywhere?"""
    n = text.count(b"\r\n")
    return n > 0 and n == text.count(b"\n") == text.count(b"\r")


def without_cr(text: bytes) -> bytes:
    return text.replace(b"\r\n", b"\n")


def with_cr(text: bytes) -> bytes:
    """Inverse of `without_cr` for text of which `has_crlf_lines` holds."""
    return text.replace(b"\n", b"\r\n")
