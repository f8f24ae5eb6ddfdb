"""Versions of docs/numerics.md, which say what the exact backends compute to the bit."""

VERSION = "3"
"""What is written: rows of bytes with outliers, with or without a correction of the weights."""

_WIDE = "1"
_WIDE_CORRECTED = "2"


def is_known(version: str, corrected: bool) -> bool:
    """Can the exact backends compute so? Before version 3 a correction had a version of its own."""
    return version in (VERSION, _WIDE_CORRECTED if corrected else _WIDE)


def has_byte_rows(version: str) -> bool:
    """Are the inputs of matrices rounded to bytes with outliers, or to 16 bits?"""
    return version == VERSION
