"""Results that others have published, for comparison. Nothing of this is measured here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Published:
    """One result.

    Attributes:
        program: name, version and settings.
        file: name of the whole file.
        bpb: bits per byte.
        source: where it was published.
        knows: what it needs that is not counted; empty = nothing but the program.
    """

    program: str
    file: str
    bpb: float
    source: str
    knows: str = ""

    @property
    def family(self) -> str:
        """The program without its version and settings."""
        return self.program.partition(" v")[0]


_BENCHMARK = "Mahoney, Large Text Compression Benchmark, mattmahoney.net/dc/text.html"
_CMIX = "Knoll, byronknoll.com/cmix.html"
_TS_ZIP = "Bellard, bellard.org/ts_zip"
_PAPER = "Tacconelli 2026, Nacrith, arXiv:2602.19626"
_PAQ8PX = "README of github.com/hxim/paq8px, June 2026"

_WEIGHTS = "weights trained on other texts"
_WORDS = "a word list"
_DICTIONARY = "a dictionary of English"
_RWKV = "RWKV 169M with 8 bits a weight"
_SMOLLM = "SmolLM2-135M in float32"

_CANTERBURY = (
    ("alice29.txt", 152_089), ("asyoulik.txt", 125_179), ("cp.html", 24_603),
    ("fields.c", 11_150), ("grammar.lsp", 3_721), ("kennedy.xls", 1_029_744),
    ("lcet10.txt", 426_754), ("plrabn12.txt", 481_861), ("ptt5", 513_216), ("sum", 38_240),
    ("xargs.1", 4_227),
)  # fmt: skip

_CANTERBURY_SIZES: tuple[tuple[str, str, tuple[int, ...]], ...] = (
    ("paq8px v216 -8", "",
     (33070, 31515, 5408, 2027, 861, 8140, 79110, 117450, 19633, 6662, 1295)),
    ("paq8px v216 -12L", "",
     (32861, 31428, 5393, 2018, 862, 7805, 78813, 116704, 19642, 6638, 1293)),
    ("paq8px v217 -12LT", _WORDS,
     (31148, 29611, 4744, 1856, 750, 7799, 74655, 112559, 19646, 6496, 1099)),
    ("paq8px v209 -12RT", _WEIGHTS,
     (28317, 28062, 4720, 1848, 732, 7972, 72594, 108648, 19677, 6679, 1061)),
    ("cmix v21", "",
     (33360, 31665, 5478, 2087, 874, 7926, 79550, 116984, 21487, 6968, 1326)),
    ("cmix v21, dictionary", _DICTIONARY,
     (31076, 29434, 4746, 1909, 771, 7955, 73365, 112263, 21883, 6870, 1123)),
)  # fmt: skip
"""Bytes of each file of `_CANTERBURY`, all as published in `_PAQ8PX`."""


def _bpb(compressed: int, original: int) -> float:
    return 8 * compressed / original


# Sizes of the compressed file alone, without program or model.
PUBLISHED = (
    *(
        Published(program, file, _bpb(compressed, size), _PAQ8PX, knows)
        for program, knows, sizes in _CANTERBURY_SIZES
        for (file, size), compressed in zip(_CANTERBURY, sizes, strict=True)
    ),
    Published("paq8px v206fix1 -12L", "enwik8", _bpb(15_849_084, 10**8), _BENCHMARK),
    Published("cmix v21, dictionary", "enwik8", _bpb(14_623_723, 10**8), _CMIX, _DICTIONARY),
    Published("cmix v21, dictionary", "enwik8-1000000", _bpb(173_431, 10**6), _CMIX, _DICTIONARY),
    Published("ts_zip", "enwik8", _bpb(13_825_741, 10**8), _TS_ZIP, _RWKV),
    Published("FineZip", "enwik8", 1.024, _PAPER, "Llama 3 8B, fine-tuned on the file"),
    Published("reference Nacrith", "enwik8", _bpb(11_737_280, 10**8), _PAPER, _SMOLLM),
    Published("ts_zip", "alice29.txt", _bpb(21_713, 152_089), _TS_ZIP, _RWKV),
    Published("reference Nacrith", "alice29.txt", 0.918, _PAPER, _SMOLLM),
    Published("ts_zip", "book1", _bpb(137_477, 768_771), _TS_ZIP, _RWKV),
    Published("ts_zip", "enwik9", _bpb(135_443_237, 10**9), _TS_ZIP, _RWKV),
)


def published_for(file: str) -> list[Published]:
    """What was published about the whole file of this name."""
    return [result for result in PUBLISHED if result.file == file]


def best_published(file: str) -> list[Published]:
    """Of each family of programs the smallest result for this file."""
    return _best(published_for(file))


def best_of_all(sizes: Mapping[str, int]) -> list[Published]:
    """The same for files together, of what was published about all of them.

    Args:
        sizes: bytes of each file by name.

    Returns:
        Results whose `file` is empty.
    """
    whole = sum(sizes.values())
    found = []
    for program in dict.fromkeys(p.program for p in PUBLISHED):
        mine = [p for p in PUBLISHED if p.program == program and p.file in sizes]
        if len(mine) == len(sizes):
            bits = sum(p.bpb * sizes[p.file] for p in mine)
            found.append(replace(mine[0], file="", bpb=bits / whole))
    return _best(found)


def _best(results: Iterable[Published]) -> list[Published]:
    best: dict[str, Published] = {}
    for result in results:
        known = best.get(result.family)
        if known is None or result.bpb < known.bpb:
            best[result.family] = result
    return list(best.values())
