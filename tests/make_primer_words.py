"""Make `predictors/text/primer_words.txt`: `python -m tests.make_primer_words CORPUS`.

CORPUS is a folder of public texts, with a folder for each kind (`prose`, `modern`, `wiki`,
`markup`, `code`, `data`). What is made are counts turned into text, no passage of any file:

1. identifiers that code has more of than prose;
2. words with a capital: names, months;
3. words that are in at least eight files;
4. a walk over the commonest pairs of words: each pair once, the commonest next.

A word is the better the more often it occurs (at most 20 times a file), in the more files, and
the longer it is; the best come last, where they are followed by the data.
"""

import re
import sys
import textwrap
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

from predictors.text.primer import PRIMER

FOLDER = Path(__file__).parent.parent / "predictors" / "text"
TEXT = ("prose", "modern", "wiki", "markup")
CODE = ("code", "data", "markup")

# What the primer was chosen by is not counted.
HELD_OUT = {
    "Middlemarch_145.txt", "The-School-for-Scandal_1929.txt", "Don-Juan_21700.txt",
    "The-Time-Machine_35.txt", "wiktionary-pages.xml", "wtf-plain-0.wikitext", "valkey-src.c",
    "flask.py", "hunchentoot.lisp", "express.js", "gson.java", "loghub-Linux_2k.log",
    "fivethirtyeight-small.csv", "gsm8k-train.jsonl", "configs.ini", "lua-manual.html",
    "stacks.tex", "manpages-dev.troff", "us-history.md", "rfc5321.txt", "readmes.md",
    "Flaubert-Madame-Bovary.fr.txt",
}  # fmt: skip
IDENTIFIERS, NAMES, WORDS, PAIRS = 700, 450, 4270, 2500
COLUMNS = 72
MOST_OF_A_FILE = 20
MOST_FILES, MOST_CODE_FILES = 100, 50


class Counts:
    """How often something occurs, at most 20 times a file, and in how many files."""

    def __init__(self) -> None:
        self.times: Counter[str] = Counter()
        self.files: Counter[str] = Counter()

    def add(self, found: Iterable[str]) -> None:
        """Count what was found in a file."""
        for what, times in Counter(found).items():
            self.times[what] += min(times, MOST_OF_A_FILE)
            self.files[what] += 1

    def weight(self, what: str, most: int = MOST_FILES) -> int:
        return self.times[what] * min(self.files[what], most)

    def best(self, chosen: Iterable[str], number: int, most: int = MOST_FILES) -> list[str]:
        """Those that save most, the very best last."""
        by_use = sorted(chosen, key=lambda w: (-self.weight(w, most) * (len(w) - 2), w))
        return by_use[:number][::-1]


def texts(corpus: Path, kinds: Iterable[str]) -> Iterator[str]:
    """The files of these kinds."""
    for kind in kinds:
        for path in sorted((corpus / kind).iterdir()):
            if path.name not in HELD_OUT:
                yield path.read_text("utf-8", "ignore")[:1_500_000]


def pairs(text: str) -> Iterator[str]:
    """Two words with a blank or the end of a line between them."""
    for run in re.findall(r"\b[a-z']+(?:[ \n][a-z']+)+\b", text):
        words = run.split()
        yield from (f"{a} {b}" for a, b in pairwise(words))


def walk(counts: Counts, number: int) -> list[str]:
    """The commonest pairs as text: from each word on to the commonest word that is left."""
    known = (pair for pair in counts.times if counts.files[pair] >= 6)
    top = sorted(known, key=lambda pair: (-counts.weight(pair), pair))[:number]
    following = defaultdict(list)
    for pair in top:
        first, second = pair.split()
        following[first].append(second)
    walks = []
    for pair in top:
        word = pair.split()[0]
        if following[word]:
            walks.append([word])
            while following[word]:
                word = following[word].pop(0)
                walks[-1].append(word)
    return [word for one in reversed(walks) for word in one]


def make(corpus: Path) -> str:
    """Raises OSError: it is not such a folder."""
    words, names, two, code = Counts(), Counts(), Counts(), Counts()
    for text in texts(corpus, TEXT):
        words.add(re.findall(r"\b[a-z]+\b", text))
        names.add(re.findall(r"\b[A-Z][a-z]+\b", text))
        two.add(pairs(text))
    for text in texts(corpus, CODE):
        code.add(re.findall(r"[A-Za-z_][A-Za-z0-9_]+", text))

    written = PRIMER.decode() + (FOLDER / "primer_samples.txt").read_text("utf-8")
    have = set(re.findall(r"[A-Za-z_][A-Za-z0-9_]+", written))
    identifiers = code.best(
        (
            w for w in code.times
            if code.files[w] >= 4 and 4 <= len(w) <= 20 and w not in have
            and code.weight(w, 1 << 30) > words.weight(w, 1 << 30)
        ),
        IDENTIFIERS, MOST_CODE_FILES,
    )  # fmt: skip
    capitals = names.best(
        (
            w for w in names.times
            if names.files[w] >= 6 and names.times[w] > 2 * words.times[w.lower()]
            and w not in have and len(w) > 3
        ),
        NAMES,
    )  # fmt: skip
    chain = walk(two, PAIRS)
    have = {*re.findall(r"[a-z]+", PRIMER.decode().lower()), *chain, *identifiers}
    plain = words.best(
        (w for w in words.times if words.files[w] >= 8 and 4 <= len(w) <= 14 and w not in have),
        WORDS,
    )
    parts = identifiers, capitals, plain, chain
    return "\n".join(
        textwrap.fill(" ".join(part), COLUMNS, break_on_hyphens=False) + "\n" for part in parts
    )


if __name__ == "__main__":
    (FOLDER / "primer_words.txt").write_text(make(Path(sys.argv[1])), "utf-8")
