"""Many small messages: how many a second, alone and together, and what a dictionary saves."""

import json
import time
from collections.abc import Callable, Sequence
from typing import Any

from nacrith.bench.markdown import table
from nacrith.bench.texts import alice
from nacrith.errors import NacrithError
from nacrith.message_codec import Codec

MESSAGE_BYTES = 200
ALONE = 6
"""So many messages are measured one by one: each takes a part of a second."""

_FIGURES = {
    "size": "bytes each",
    "compress": "compress",
    "decompress": "decompress",
    "compress_alone": "compress alone",
    "decompress_alone": "decompress alone",
}

_MORE = 120
"""Bytes of a message, at most, beyond those that are wanted."""


def records(size: int = MESSAGE_BYTES) -> list[bytes]:
    """JSON records of about so many bytes: sentences of alice29.txt with numbers and names."""
    words = alice().decode("ascii").split()
    made: list[bytes] = []
    begin = 0
    while begin < len(words):
        record: dict[str, Any] = {
            "id": 100_000 + len(made) * 7919 % 90_000,
            "user": words[begin].strip("'`,.;:!?()").lower(),
            "status": ("new", "read", "done")[len(made) % 3],
            "text": "",
        }
        while begin < len(words) and len(json.dumps(record)) < size:
            record["text"] = f"{record['text']} {words[begin]}".strip()
            begin += 1
        made.append(json.dumps(record).encode())
    return made


def messages_of(data: bytes, size: int = MESSAGE_BYTES) -> list[bytes]:
    """The lines of about so many bytes; raises NacrithError if there are too few."""
    found = [line for line in data.splitlines() if size // 2 <= len(line) <= size + _MORE]
    if len(found) < 2 * ALONE:
        raise NacrithError(f"there are fewer than {2 * ALONE} lines of about {size} bytes")
    return found


def measure_messages(
    messages: Sequence[bytes], number: int, dictionary_bytes: int, **options: Any
) -> dict[str, Any]:
    """Compress and restore `number` messages, with and without a dictionary of some others.

    Args:
        messages: the first of them are the dictionary, one a line, as many as fill it.
        options: of `Codec`.

    Returns:
        `messages`, `bytes` of each, `dictionary` its bytes; by "plain" and "dictionary" the mean
        `size`, and messages per second: `compress`, `decompress`, and `compress_alone`,
        `decompress_alone` of calls one by one.
    """
    dictionary = b""
    n_read = 0
    while len(dictionary) < dictionary_bytes and n_read < len(messages) // 2:
        dictionary += messages[n_read] + b"\n"
        n_read += 1
    chosen = list(messages[n_read : n_read + number])
    return {
        "messages": len(chosen),
        "bytes": sum(map(len, chosen)) / len(chosen),
        "dictionary": len(dictionary),
        "plain": _measure(chosen, b"", options),
        "with dictionary": _measure(chosen, dictionary, options),
    }


def _measure(messages: Sequence[bytes], dictionary: bytes, options: dict[str, Any]) -> Any:
    with Codec(dictionary=dictionary, **options) as codec:
        # What is loaded and read once.
        list(codec.decompress_many(list(codec.compress_many(messages[:3]))))
        packed, compress = _timed(lambda: list(codec.compress_many(messages)))
        restored, decompress = _timed(lambda: list(codec.decompress_many(packed)))
        if restored != list(messages):
            raise AssertionError("the restored messages differ")
        alone = min(ALONE, len(messages))
        _, compress_alone = _timed(lambda: [codec.compress(m) for m in messages[:alone]])
        _, decompress_alone = _timed(lambda: [codec.decompress(p) for p in packed[:alone]])
    return {
        "size": sum(map(len, packed)) / len(packed),
        "compress": len(messages) / compress,
        "decompress": len(messages) / decompress,
        "compress_alone": alone / compress_alone,
        "decompress_alone": alone / decompress_alone,
    }


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    begin = time.perf_counter()
    result = work()
    return result, time.perf_counter() - begin


def print_messages(measured: dict[str, Any]) -> None:
    """As a table."""
    print(
        f"{measured['messages']} messages of {measured['bytes']:.0f} bytes; messages a second, "
        f"the model being loaded; dictionary of {measured['dictionary']} bytes"
    )
    rows = [
        [name, *(f"{measured[name][figure]:.1f}" for figure in _FIGURES)]
        for name in ("plain", "with dictionary")
    ]
    print(table(" | ".join(["", *_FIGURES.values()]), rows), end="")
