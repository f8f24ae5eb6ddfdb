"""Where no process can be started, this one does the work."""

# ruff: noqa: F401, F811 (fixtures of another module)

import errno
import logging
import subprocess

import pytest

from coder.messages import say_once
from nacrith.workers.processes import process_workers
from tests.test_workers import DATA, compress, decompress, options, whole


@pytest.fixture(autouse=True)
def said(caplog):
    say_once.cache_clear()
    return caplog


def messages(caplog):
    return [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]


def refuse(*args, **named):
    raise OSError(errno.EAGAIN, "Resource temporarily unavailable")


def test_no_process_at_all(options, whole, monkeypatch, caplog):
    monkeypatch.setattr(subprocess, "Popen", refuse)
    assert compress(options, process_workers(4, 1)) == whole
    assert decompress(whole, options, process_workers(4, 1)) == DATA
    assert messages(caplog) == [
        "no worker can be started (Resource temporarily unavailable); this process goes on alone"
    ]


def test_a_program_that_is_no_python(options, whole, monkeypatch, caplog):
    monkeypatch.setattr("sys.executable", "/bin/false")
    assert compress(options, process_workers(2, 1)) == whole
    (message,) = messages(caplog)
    assert "has ended with exit code 1" in message


def test_fewer_processes_than_wanted(options, whole, monkeypatch, caplog):
    popen = subprocess.Popen
    started: list[int] = []

    def one(*args, **named):
        if started:
            refuse()
        started.append(1)
        return popen(*args, **named)

    monkeypatch.setattr(subprocess, "Popen", one)
    assert compress(options, process_workers(3, 1)) == whole
    assert not any("alone" in message for message in messages(caplog))


def test_no_thread_for_a_process(options, whole, monkeypatch, caplog):
    """Where processes are few, threads count as such."""

    def no_thread(thread):
        raise RuntimeError("can't start new thread")

    pool = process_workers(4, 1)
    with monkeypatch.context() as patch:
        patch.setattr("nacrith.workers.processes.threading.Thread.start", no_thread)
        assert compress(options, pool) == whole
    assert messages(caplog) == [
        "no worker can be started (can't start new thread); this process goes on alone"
    ]
