"""Tables and sections of Markdown."""

from collections.abc import Callable, Sequence
from pathlib import Path

from nacrith.errors import FileError

_HEADING = "## "


def table(header: str, rows: Sequence[Sequence[str]]) -> str:
    """A table; `header` has its columns between bars, all but the first are numbers."""
    columns = header.split(" | ")
    lines = [
        "| " + header + " |",
        "| --- |" + " ---: |" * (len(columns) - 1),
        *("| " + " | ".join(row) + " |" for row in rows),
    ]
    return "\n".join(lines) + "\n"


def show(section: str, document: Path | None) -> None:
    """Print a section, or put it into a document; None = print. Raises: see `put_section`."""
    if document is None:
        print(section, end="")
    else:
        put_section(document, section)


def put_section(path: Path, section: str) -> None:
    """Put a section into a file in the place of the one with its heading, else at the end.

    Raises:
        FileError: the file can't be read or written.
    """
    _change(path, lambda text: with_section(text, section))


def put_head(path: Path, head: str) -> None:
    """Put a head into a file in the place of all in front of the first section.

    Raises:
        FileError: the file can't be read or written.
    """
    _change(path, lambda text: with_head(text, head))


def _change(path: Path, change: Callable[[str], str]) -> None:
    try:
        text = path.read_text("utf-8") if path.exists() else ""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(change(text), "utf-8")
    except OSError as error:
        raise FileError(f"can't write {path}: {error.strerror}") from error


def with_head(text: str, head: str) -> str:
    """The text with what is in front of its first section replaced."""
    lines = text.splitlines()
    begin = next((i for i, line in enumerate(lines) if line.startswith(_HEADING)), len(lines))
    rest = "\n".join(lines[begin:])
    return head.strip("\n") + "\n" + (f"\n{rest}\n" if rest else "")


def with_section(text: str, section: str) -> str:
    """The text with its section of the same heading replaced, or with the section behind it."""
    heading = section.partition("\n")[0]
    lines = text.splitlines()
    begin = lines.index(heading) if heading in lines else len(lines)
    later = (i for i in range(begin + 1, len(lines)) if lines[i].startswith(_HEADING))
    end = next(later, len(lines))
    parts = ["\n".join(lines[:begin]), section, "\n".join(lines[end:])]
    return "\n\n".join(part.strip("\n") for part in parts if part.strip("\n")) + "\n"
