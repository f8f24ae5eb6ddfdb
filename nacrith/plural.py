"""Numbers with what they count."""


def counted(n: int, noun: str) -> str:
    """1 file, 2 files."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
