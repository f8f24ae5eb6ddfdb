"""Sections of a Markdown document: one is replaced by what was measured now."""

import re
from pathlib import Path

from nacrith.errors import FileError


def table(header: str, rows: list[list[str]]) -> str:
    """A Markdown table of numbers behind a first column; ` | ` separates the header's columns."""
    columns = header.split(" | ")
    lines = [
        "| " + header + " |",
        "| --- |" + " ---: |" * (len(columns) - 1),
        *("| " + " | ".join(row) + " |" for row in rows),
    ]
    return "\n".join(lines) + "\n"


def show(section: str, document: Path | None) -> None:
    """Print a section, or put it into a document.

    Args:
        section: begins with `## ` and its title.
        document: the section of that title is replaced in it, or appended; None = print.

    Raises:
        FileError: the document can't be read or written.
    """
    if document is None:
        print(section, end="")
        return
    try:
        old = document.read_text("utf-8") if document.exists() else ""
        document.parent.mkdir(parents=True, exist_ok=True)
        document.write_text(with_section(old, section), "utf-8")
    except OSError as error:
        raise FileError(f"can't write {document}: {error.strerror}") from error


def with_section(text: str, section: str) -> str:
    """The text with its section of the same title replaced, or with the section behind it."""
    title = section.partition("\n")[0]
    found = re.search(rf"^{re.escape(title)}\n.*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    if not found:
        return f"{text.rstrip()}\n\n{section}" if text.strip() else section
    after = text[found.end() :]
    return text[: found.start()] + section.rstrip() + "\n" + (f"\n{after}" if after else "")
