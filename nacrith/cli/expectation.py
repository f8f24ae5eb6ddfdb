"""What is said before a long run: how long it takes, and what would take less."""

from pathlib import Path
from typing import BinaryIO

from nacrith.cli.ahead import may_be_text
from nacrith.cli.display import say
from nacrith.cli.units import duration

_SECONDS_PER_MB = {1: 2.1, 2: 3.6, 3: 4, 4: 192, 5: 201, 6: 247, 7: 261, 8: 281, 9: 373}
"""To compress a large text, by level: 2 cores with AVX512-VNNI (`nacrith bench levels`)."""

_MEASURED_THREADS = 2
"""The threads that did so."""
_LONG = 120
"""Seconds of which a user wants to know beforehand."""
_FAST_LEVEL = 3
"""The strongest that does without the model."""


def threads_of(given: int) -> int:
    """So many threads are used if the user says `given`; 0 = all."""
    from predictors.language_models.numerics import available_threads

    return given or available_threads()


def expected_seconds(size: int, level: int, threads: int) -> float:
    """About how long so many bytes of text take. Without the model more threads are of no use."""
    seconds = size / 1e6 * _SECONDS_PER_MB[level]
    return seconds if level <= _FAST_LEVEL else seconds * _MEASURED_THREADS / max(1, threads)


def tell_what_to_expect(path: Path, level: int, threads: int) -> None:
    """Say how long a file that may be text will take, if that is long; 0 threads = all."""
    try:
        size = path.stat().st_size if path.is_file() else 0
        threads = threads_of(threads)
        seconds = expected_seconds(size, level, threads)
        if seconds < _LONG or not may_be_text(path):
            return
    except OSError:
        # Whoever reads it tells of that.
        return
    message = f"{path}: this takes about {duration(seconds)} if it is text"
    if level > _FAST_LEVEL:
        fast = expected_seconds(size, _FAST_LEVEL, threads)
        message += f"; -{_FAST_LEVEL} takes {duration(max(1, fast))} for a larger file"
    say(message)


def tell_how_long_restoring_takes(name: str, source: BinaryIO) -> None:
    """Say how long a file takes to restore, if that is long and the file can be read twice.

    Raises:
        FormatError, UnsupportedError: it can't be restored.
    """
    from nacrith.format.container import MemberReader
    from nacrith.pipeline.restore_time import RestoreTime

    if not source.seekable():
        return
    begin = source.tell()
    time = RestoreTime()
    for member in MemberReader(source):
        for frame in member.frames():
            time.look_at(member.header, frame)
    source.seek(begin)
    if time.seconds >= _LONG:
        say(f"{name}: restoring this takes about {duration(time.seconds)}")
