"""What was begun in a process can't be read on in a forked child, where its thread is not: that is
an error, and nothing waits for ever."""

import os
import random
import signal
from typing import Any

import pytest

import nacrith

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")

DATA = random.Random(9).randbytes(5000)
PACKED = nacrith.compress(DATA, level=1, block_size=1000)


def in_child(action) -> str:
    """What the action returns or raises in a forked child, which has 20 seconds."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        try:
            said = str(action())
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
        os.write(writer, said.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as file:
        said = file.read()
    assert os.waitpid(child, 0)[1] == 0, "it hangs"
    return said


def test_an_object_that_restores():
    unpacker = nacrith.decompressobj()
    # Nothing has begun: the child may use it.
    assert in_child(lambda: unpacker.decompress(PACKED) == DATA) == "True"
    found = unpacker.decompress(PACKED[:3000])
    for action in (lambda: unpacker.decompress(PACKED[3000:]), lambda: unpacker.needs_input):
        assert in_child(action).startswith("FileError: what one process has begun")
    assert found + unpacker.decompress(PACKED[3000:]) == DATA and unpacker.eof


def test_a_file_object(tmp_path):
    (tmp_path / "a.nc").write_bytes(PACKED)
    with nacrith.open(tmp_path / "a.nc") as file:
        found = file.read(10)
        # So much is buffered in front of it.
        raw: Any = file.raw
        for action in (lambda: raw.read(5000), lambda: raw.seek(0)):
            assert in_child(action).startswith("FileError: what one process has begun")
        assert found + file.read() == DATA
    with nacrith.open(tmp_path / "a.nc") as file:
        assert in_child(lambda: file.read() == DATA) == "True"
