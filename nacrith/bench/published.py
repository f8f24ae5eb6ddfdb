"""Results that others have published, for comparison. Nothing of this is measured here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """One result.

    Attributes:
        program: name, version and settings.
        file: name of the whole file.
        bpb: bits per byte.
        source: where it was published.
    """

    program: str
    file: str
    bpb: float
    source: str


_BENCHMARK = "Mahoney, Large Text Compression Benchmark, mattmahoney.net/dc/text.html"
_CMIX = "Knoll, byronknoll.com/cmix.html"
_TS_ZIP = "Bellard, bellard.org/ts_zip"
_PAPER = "Tacconelli 2026, Nacrith, arXiv:2602.19626"
_SITE = "nacrith.com"


def _bpb(compressed: int, original: int) -> float:
    return 8 * compressed / original


# Sizes of the compressed file alone, without program or model.
PUBLISHED = (
    Published("paq8px_v206fix1 -12L", "enwik8", _bpb(15_849_084, 10**8), _BENCHMARK),
    Published("cmix v21", "enwik8", _bpb(14_623_723, 10**8), _CMIX),
    Published("cmix v21", "enwik8-1000000", _bpb(173_431, 10**6), _CMIX),
    Published("ts_zip", "enwik8", _bpb(13_825_741, 10**8), _TS_ZIP),
    Published("FineZip", "enwik8", 1.024, _PAPER),
    Published("reference Nacrith", "enwik8", _bpb(11_737_280, 10**8), _PAPER),
    Published("paq8px -8L", "alice29.txt", 1.728, _SITE),
    Published("cmix v21", "alice29.txt", 1.635, _SITE),
    Published("ts_zip", "alice29.txt", _bpb(21_713, 152_089), _TS_ZIP),
    Published("reference Nacrith", "alice29.txt", 0.918, _PAPER),
    Published("ts_zip", "book1", _bpb(137_477, 768_771), _TS_ZIP),
    Published("ts_zip", "enwik9", _bpb(135_443_237, 10**9), _TS_ZIP),
)


def published_for(file: str) -> list[Published]:
    """What was published about the whole file of this name."""
    return [result for result in PUBLISHED if result.file == file]
