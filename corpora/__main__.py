"""`python -m corpora fetch NAME`, or `chapter PATH`: the text of the demo."""

import sys
from pathlib import Path

import corpora

USAGE = "usage: python -m corpora fetch canterbury|calgary|enwik8|enwik9 | chapter PATH"


def chapter() -> bytes:
    """The first chapter of alice29.txt; the README where that can't be had."""
    try:
        text = next(p for p in corpora.canterbury(fetch=True) if p.name == "alice29.txt")
    except corpora.CorpusError as error:
        print(f"{error}; taking the README instead", file=sys.stderr)
        return (Path(__file__).resolve().parent.parent / "README.md").read_bytes()
    book = text.read_bytes()
    return book[: book.index(b"CHAPTER II\r\n")].rstrip(b" ")


def main(arguments: list[str]) -> int:
    match arguments:
        case ["fetch", ("canterbury" | "calgary") as name]:
            print(*corpora.files(name, fetch=True), sep="\n")
        case ["fetch", ("enwik8" | "enwik9") as name]:
            size = corpora.manifest()[name]["files"][name]["size"]
            corpora.prefix_of(name, size, fetch=True)
        case ["chapter", path]:
            target = Path(path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(chapter())
        case _:
            print(USAGE, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except corpora.CorpusError as error:
        sys.exit(f"corpora: {error}")
