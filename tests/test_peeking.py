"""What a block holds with its streams opened, found out without opening them."""

import gzip
import io
import random
import zipfile
import zlib

import pytest

from nacrith.pipeline.content import size_opened
from nacrith.transforms.opening import peeking
from nacrith.transforms.opening.finding import find_streams
from nacrith.transforms.opening.limits import ALL_STREAMS, MAX_DEPTH, NOTHING
from nacrith.transforms.opening.peeking import peek

NOISE = random.Random(1).randbytes(500)
TEXT = b"The boats had gone out before it was light, and the harbour was empty.\n" * 40


def pieces(block: bytes) -> list[bytes]:
    return list(peek(block, ALL_STREAMS))


def test_what_is_around_comes_first_then_the_contents():
    packed = gzip.compress(TEXT)
    around, *contents = pieces(NOISE + packed + NOISE + packed)
    assert contents == [TEXT, TEXT]
    # The header of gzip is no part of its stream.
    assert around.startswith(NOISE) and NOISE in around[len(NOISE) :]
    assert len(around) < 2 * len(NOISE) + 2 * 40
    assert pieces(NOISE) == [NOISE] and pieces(b"") == [b""]
    assert list(peek(packed, NOTHING)) == [packed]


def test_streams_in_streams_count_to_a_depth():
    block = TEXT
    for _ in range(MAX_DEPTH + 1):
        block = gzip.compress(block + NOISE)
    found = pieces(block)
    assert len(found) == MAX_DEPTH + 1 and TEXT not in b"".join(found)
    assert zlib.decompressobj(31).decompress(found[-1]).startswith(TEXT)


def test_an_archive():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for i in range(5):
            archive.writestr(f"{i}.txt", TEXT[i:])
    packed = file.getvalue()
    assert pieces(packed)[1:] == [TEXT[i:] for i in range(5)]
    opened = size_opened(packed, ALL_STREAMS).size
    assert 5 * len(TEXT) < opened < 5 * len(TEXT) + len(packed)
    assert size_opened(packed, NOTHING).size == len(packed)


@pytest.mark.parametrize("limit", [1000, 4000, 7000])
def test_no_more_than_is_opened(monkeypatch, limit):
    """What would make a block larger than that stays closed, and is counted so."""
    monkeypatch.setattr(peeking, "MAX_EXPANDED", limit)
    packed = gzip.compress(TEXT)
    assert len(pieces(packed * 3)) - 1 == min(3, limit // len(TEXT))


def test_the_limit_is_of_all_layers_together(monkeypatch):
    """Each stream of a stream is small enough by itself."""
    monkeypatch.setattr(peeking, "MAX_EXPANDED", 50_000)
    inner = gzip.compress(TEXT, mtime=0)
    block = b"".join(gzip.compress(inner * 10 + bytes([i]), mtime=0) for i in range(20))
    opened = sum(map(len, pieces(block)))
    assert 50_000 - len(TEXT) < opened <= 50_000


def test_what_does_not_fit_is_looked_at_a_few_times_only(monkeypatch):
    monkeypatch.setattr(peeking, "MAX_EXPANDED", 70_000)
    looked = []

    def counted(*given):
        for found in find_streams(*given):
            looked.append(found)
            yield found

    monkeypatch.setattr(peeking, "find_streams", counted)
    large = gzip.compress(TEXT * 20)
    monkeypatch.setattr(peeking, "_MOST_IN_VAIN", 2)
    assert len(pieces(large * 30)) == 2
    # The first one fits; of the others as many as have twice the limit, and one more.
    assert len(looked) == 4
