"""Compression and restoring piece by piece."""

import copy
import gc
import io
import pickle
import random
import threading
import warnings
from typing import Any

import pytest

import nacrith
from nacrith import stream_objects

NOISE = random.Random(5).randbytes(10_000)
TEXT = b"The boat went out to sea before it was light that morning.\n" * 20


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[i : i + size] for i in range(0, len(data), size)]


@pytest.fixture
def options(tiny_gguf):
    return {"model": tiny_gguf, "window": 256, "threads": 1}


@pytest.mark.parametrize(
    ("data", "more"),
    [(b"", {}), (TEXT, {}), (NOISE, {"block_size": 1000}), (TEXT + NOISE, {"block_size": 2048})],
)
@pytest.mark.parametrize("size", [7, 1 << 20])
def test_there_and_back(data, more, size, options, keep_text):
    packer = nacrith.compressobj(**options, **more)
    packed = b"".join([*(packer.compress(piece) for piece in pieces(data, size)), packer.flush()])
    assert packed == nacrith.compress(data, **options, **more)
    unpacker = nacrith.decompressobj(model=options["model"])
    restored = b"".join(unpacker.decompress(piece) for piece in pieces(packed, size))
    assert restored == data and unpacker.eof and not unpacker.needs_input
    assert unpacker.unused_data == b""


def test_what_is_behind_the_end():
    packed = nacrith.compress(NOISE, level=1, block_size=1000)
    for rest in (b"", b"x", packed):
        unpacker = nacrith.decompressobj()
        assert unpacker.decompress(packed[:50]) == b"" and unpacker.needs_input
        assert not unpacker.eof
        assert unpacker.decompress(packed[50:] + rest) == NOISE
        assert unpacker.eof and unpacker.unused_data == rest
        with pytest.raises(EOFError):
            unpacker.decompress(b"")
    # One after the other, as with the objects of lzma.
    restored, left = b"", packed + nacrith.compress(TEXT, level=1)
    while left:
        unpacker = nacrith.decompressobj()
        restored += unpacker.decompress(left)
        left = unpacker.unused_data
    assert restored == NOISE + TEXT


@pytest.mark.parametrize("most", [0, 1, 999, 5000, 20_000])
def test_a_most_length(most):
    unpacker = nacrith.decompressobj()
    found = [unpacker.decompress(nacrith.compress(NOISE, level=1, block_size=1000), most)]
    while not unpacker.eof and len(found) < 30_000:
        assert not unpacker.needs_input
        if not most and len(found) > 3:
            found.append(unpacker.decompress(b""))
            continue
        found.append(unpacker.decompress(b"", most))
    assert b"".join(found) == NOISE
    assert not most or max(map(len, found)) <= most


def test_memory_is_bounded(monkeypatch):
    """The decoder waits for who takes what it restores."""
    monkeypatch.setattr(stream_objects, "_MOST_WAITING", 30_000)
    data = random.Random(8).randbytes(100_000)
    unpacker = nacrith.decompressobj()
    unpacker.decompress(nacrith.compress(data, level=1, block_size=20_000), 1)
    unpacker._worker.join(0.5)
    assert 1 < len(unpacker._feed._output) < 30_000 + 20_000
    assert unpacker.decompress(b"") == data[1:]


def test_parts_come_before_the_end():
    # Larger than what may wait on the way.
    data = random.Random(6).randbytes(300_000)
    packer = nacrith.compressobj(level=1, block_size=50_000)
    early = b"".join(packer.compress(piece) for piece in pieces(data, 25_000))
    late = packer.flush()
    assert nacrith.decompress(early + late) == data
    assert len(early) >= 50_000
    unpacker = nacrith.decompressobj()
    restored = unpacker.decompress(early)
    assert data.startswith(restored) and len(restored) >= 50_000
    assert restored + unpacker.decompress(late) == data


def test_wrong_use(tmp_path):
    makers: list[Any] = [nacrith.compressobj, nacrith.decompressobj]
    for make in makers:
        with pytest.raises(nacrith.NacrithError, match="the model"):
            make(model=tmp_path / "missing.gguf")
        with pytest.raises(TypeError):
            make(nonsense=1)
    with pytest.raises(ValueError):
        nacrith.compressobj(level=10)
    packer: Any = nacrith.compressobj(level=1)
    unpacker: Any = nacrith.decompressobj()
    for take in (packer.compress, unpacker.decompress):
        with pytest.raises(TypeError):
            take("text")
    with pytest.raises(TypeError):
        unpacker.decompress(b"", 1.5)
    packer.flush()
    for late in (packer.flush, lambda: packer.compress(b"")):
        with pytest.raises(ValueError, match="flushed"):
            late()


def test_damage_is_an_error_that_stays():
    packed = bytearray(nacrith.compress(NOISE, level=1, block_size=1000))
    packed[len(packed) // 2] ^= 1
    unpacker = nacrith.decompressobj()
    restored = unpacker.decompress(packed)
    assert NOISE.startswith(restored) and 1000 <= len(restored) < len(NOISE)
    for _ in range(2):
        with pytest.raises(nacrith.NacrithError, match="checksum"):
            unpacker.decompress(b"")
    assert not unpacker.eof and not unpacker.needs_input
    with pytest.raises(nacrith.NacrithError, match="not a NC06 file"):
        nacrith.decompressobj().decompress(b"not a file")


def test_what_is_dropped_ends_quietly():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        packer, unpacker = nacrith.compressobj(level=1), nacrith.decompressobj()
        packer.compress(NOISE)
        unpacker.decompress(nacrith.compress(NOISE, level=1, block_size=1000)[:3000])
        worker = unpacker._worker
        del packer, unpacker
        gc.collect()
        worker.join(5)
    assert not worker.is_alive()


def test_an_object_for_each_thread():
    packed = [nacrith.compress(bytes([i]) * 3000, level=1) for i in range(4)]
    found: dict[int, bytes] = {}

    def restore(i: int) -> None:
        unpacker, sink = nacrith.decompressobj(), io.BytesIO()
        for piece in pieces(packed[i], 7):
            sink.write(unpacker.decompress(piece))
        found[i] = sink.getvalue()

    threads = [threading.Thread(target=restore, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {i: bytes([i]) * 3000 for i in range(4)}


@pytest.mark.parametrize("double", [copy.copy, copy.deepcopy, pickle.dumps])
def test_no_object_can_be_copied(double):
    """A copy that goes would take what the first one holds with it."""
    packer, unpacker = nacrith.compressobj(level=1), nacrith.decompressobj()
    packed = packer.compress(b"a text")
    with nacrith.Codec(level=1) as codec:
        for each in (packer, unpacker, codec):
            with pytest.raises(TypeError, match="can't be copied or pickled"):
                double(each)
        packed += packer.flush()
        assert codec.decompress(packed) == unpacker.decompress(packed) == b"a text"
