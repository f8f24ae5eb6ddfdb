"""Texts that a program might write: the same bytes on every machine."""

import random

from nacrith.bench.messages import records

_LINE = b"2024-03-05 12:00:00 INFO worker-3 is waiting for work\n"


def log_lines(size: int) -> bytes:
    """A log of a server."""
    chance = random.Random(1)
    paths = ("/", "/index.html", "/images/logo.png", "/api/v1/users", "/api/v1/orders", "/login")
    lines: list[str] = []
    second = written = 0
    while written < size:
        second += chance.randrange(4)
        clock = f"{second // 3600 % 24:02}:{second // 60 % 60:02}:{second % 60:02}"
        level = chance.choices(("INFO", "WARN", "ERROR"), (90, 8, 2))[0]
        status = chance.choices((200, 304, 404, 500), (80, 12, 6, 2))[0]
        lines.append(
            f"2024-03-05T{clock}.{chance.randrange(1000):03}Z {level:<5} "
            f"worker-{chance.randrange(8)} 10.0.{chance.randrange(4)}.{chance.randrange(256)} "
            f"GET {chance.choice(paths)} {status} {chance.randrange(90_000)}\n"
        )
        written += len(lines[-1])
    return "".join(lines).encode()[:size]


def json_lines(size: int) -> bytes:
    """JSON records, one a line; raises like `texts.alice`, of which they have sentences."""
    return b"\n".join(records())[:size]


def repeated_line(size: int) -> bytes:
    """One line of a log, again and again."""
    return (_LINE * (size // len(_LINE) + 1))[:size]
