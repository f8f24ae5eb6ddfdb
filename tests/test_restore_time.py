"""About how long restoring takes: by what the frames hold, and in how many streams."""

import io
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder import Decoder
from nacrith import compress
from nacrith.codec.bit_decoder import BitDecoder
from nacrith.format.container import MemberReader
from nacrith.pipeline.restore_time import RestoreTime

WORDS = b"the sea was calm and all the boats had gone out before it was light".split()
TEXT = b" ".join(random.Random(1).choices(WORDS, k=400))
NOISE = random.Random(2).randbytes(5000)


def frames(packed: bytes) -> list:
    return [
        (member.header, frame)
        for member in MemberReader(io.BytesIO(packed))
        for frame in member.frames()
    ]


def seconds(found) -> float:
    time = RestoreTime()
    for header, frame in found:
        time.look_at(header, frame)
    return time.seconds


@pytest.fixture(autouse=True)
def two_threads(monkeypatch):
    monkeypatch.setattr("nacrith.pipeline.restore_time.available_threads", lambda: 2)


def test_more_streams_are_restored_faster(tiny_gguf, keep_text):
    found = {}
    for n in (1, 8):
        packed = compress(TEXT, model=tiny_gguf, window=256, threads=1, streams=n)
        ((header, frame),) = frames(packed)
        found[n] = (seconds([(header, frame)]) - 0.5) / frame.n_symbols
    # Windows of 256 tokens, or fewer, are in between those of none and of 1,024.
    n = frame.n_symbols
    assert n > 256 and n / 8 < 256
    seen = {1: 256 - 256 * 256 / (2 * n), 8: n / 8 / 2}
    assert found == {
        1: pytest.approx(1 / 200 + seen[1] / 1024 * (1 / 155 - 1 / 200)),
        8: pytest.approx(1 / 850 + seen[8] / 1024 * (1 / 600 - 1 / 850)),
    }
    # The model is loaded once.
    assert seconds([(header, frame)] * 2) == pytest.approx(0.5 + 2 * found[8] * frame.n_symbols)
    # Damaged: whoever restores it tells so.
    damaged = replace(frame, payloads=dict.fromkeys(frame.payloads, b"\xff" * 20))
    assert seconds([(header, damaged)]) == pytest.approx(0.5 + found[1] * frame.n_symbols)


def test_full_windows_take_longer(tiny_gguf, keep_text, monkeypatch):
    monkeypatch.setattr("nacrith.codec.streams_of_frame.streams_told", lambda frame: 8)
    packed = compress(TEXT, model=tiny_gguf, window=256, threads=1, streams=8)
    ((header, frame),) = frames(packed)

    def rate(tokens: int, window: int = 1024) -> float:
        """In a stream of so many."""
        long = replace(frame, n_symbols=8 * tokens)
        given = replace(header, parameters=replace(header.parameters, window=window))
        return 8 * tokens / (seconds([(given, long)]) - 0.5)

    assert 840 < rate(10) < 850 and 600 < rate(100_000) < 605
    # Other windows are fuller or emptier.
    assert rate(100_000, 2048) < 500 and rate(100_000, 256) > 740
    # Half full on average, from both sides.
    assert rate(1023) == pytest.approx(2 / (1 / 850 + 1 / 600), rel=0.01)
    assert rate(1025) == pytest.approx(2 / (1 / 850 + 1 / 600), rel=0.01)


def test_without_the_model_bytes_count():
    assert seconds(frames(compress(NOISE))) == pytest.approx(5000 / 500e6)
    assert seconds(frames(compress(TEXT * 3, level=2))) == pytest.approx(3 * len(TEXT) / 240e3)
    assert seconds([]) == 0


@given(st.binary(max_size=60), st.lists(st.integers(1, (1 << 16) - 1), max_size=600))
def test_bits_are_decoded_as_by_the_coder(data, probabilities):
    plain, compiled = BitDecoder(data), Decoder(data)
    for p1 in probabilities:
        assert plain.code_bit(p1) == compiled.code_bit(p1)


_LIST = """
import sys
from nacrith.cli.main import cli
cli(["list", "a.nc"], standalone_mode=False)
assert not {"numba", "numpy"} & set(sys.modules)
"""


def test_text_is_listed_without_what_kernels_need(tiny_gguf, keep_text, tmp_path):
    (tmp_path / "a.nc").write_bytes(compress(TEXT, model=tiny_gguf, threads=1, streams=3))
    command = [sys.executable, "-c", _LIST]
    environment = {"PYTHONPATH": str(Path(__file__).parent.parent), "HOME": str(tmp_path)}
    subprocess.run(command, cwd=tmp_path, env=environment, check=True)
