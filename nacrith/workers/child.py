"""A worker process: reads calls from standard input, writes results to standard output.

It ends, without a word, when the process that started it does.
"""

import logging
import os
import pickle
import queue
import threading
import time
from typing import Any

from nacrith.errors import WorkerError
from nacrith.workers.messages import receive, send

_REPORT_SECONDS = 0.1
"""Bytes done are told no more often than this."""


class _Results:
    """Standard output as it was, for several threads."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()

    def send(self, kind: str, value: Any) -> None:
        with self._lock:
            send(self._descriptor, (kind, value))


def main(device: str) -> None:
    """Run calls one by one; messages are tuples of a kind and a value.

    Args:
        device: where models run: see `load_model`.

    Kinds: `ready` for calls; `bytes` done so far in all calls; `log`, a message for the user and
    its level; `result`; `error`, an exception.
    """
    calls, results = os.dup(0), _Results(os.dup(1))
    # A library that prints must not write into the results, nor one that reads take calls.
    os.dup2(2, 1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    waiting: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_read_calls, args=(calls, waiting), daemon=True).start()
    try:
        _pass_on_messages(results)
        results.send("ready", None)
        while True:
            results.send(*_answer(waiting.get(), results, device))
    except OSError:
        os._exit(1)


def _read_calls(calls: int, waiting: "queue.SimpleQueue[bytes]") -> None:
    try:
        while True:
            waiting.put(receive(calls))
    except (EOFError, OSError):
        # Nobody waits for what is under way.
        os._exit(0)


def _answer(call: bytes, results: _Results, device: str) -> tuple[str, Any]:
    try:
        _prepare(results, device)
        function, arguments = pickle.loads(call)
        answer = ("result", function(*arguments))
        pickle.dumps(answer)
        return answer
    except Exception as error:
        return ("error", _portable(error))


def _portable(error: Exception) -> Exception:
    """The exception, or one that says the same if it can't be sent."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return WorkerError(f"{type(error).__name__}: {error}")
    return error


def _prepare(results: _Results, device: str) -> None:
    """Choose the device, and let this process tell the bytes that it has done."""
    from nacrith.workers import jobs

    if isinstance(jobs.on_progress, jobs.SumOfBytes):
        return
    jobs.use_device(device)
    last = 0.0

    def tell(total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _REPORT_SECONDS:
            last = now
            results.send("bytes", total)

    jobs.on_progress = jobs.SumOfBytes(tell)


def _pass_on_messages(results: _Results) -> None:
    """Each message is for the user once, however many workers have it."""

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            results.send("log", (record.getMessage(), record.levelno))

    logging.getLogger().addHandler(Handler())
    logging.getLogger("coder").setLevel(logging.INFO)
