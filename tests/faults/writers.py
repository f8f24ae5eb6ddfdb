"""Everything in the Python interface that writes a compressed file over an older one."""

import subprocess
import sys
from collections.abc import Iterator
from functools import partial

from tests.faults.lab import Broken, Fault, Lab, must
from tests.faults.writer_trials import WRITERS

TIMES = 200
"""Trials of each writer."""


def trials(lab: Lab, times: int, ending: str, writers: tuple[str, ...]) -> Iterator[str]:
    """Outcomes of `writer_trials`, as many of each writer."""
    command = [
        sys.executable, "-m", "tests.faults.writer_trials", lab.clear(), lab.model,
        lab.random.randrange(1 << 30), max(1, times // len(writers)), ending, *writers,
    ]  # fmt: skip
    process = subprocess.Popen(
        list(map(str, command)), env=lab.environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    with process:
        for line in process.stdout:
            if line.startswith("BROKEN"):
                raise Broken(line.strip())
            yield line.strip()
    must(process.returncode == 0, f"exit code {process.returncode}")


_ALL = tuple(WRITERS)
_ONE = ("open wb",)
_WHOLE = (
    "The older file or the whole new one is there; with fsspec, which writes in place, perhaps a "
    "file that is refused as truncated."
)

FAULTS = [
    Fault(
        "kill -9 of a writer in Python at a random moment",
        _WHOLE,
        TIMES * len(_ALL),
        partial(trials, ending="kill", writers=_ALL),
    ),
    Fault(
        "exception or SIGINT in a writer in Python at a random moment",
        f"{_WHOLE} No part is left.",
        TIMES * len(_ALL),
        partial(trials, ending="raise", writers=_ALL),
    ),
    Fault(
        "file object collected, or open when the program ends",
        "The older file is there, and no part.",
        TIMES,
        partial(trials, ending="leave", writers=_ONE),
    ),
    Fault(
        "fork of a process that has a file object open",
        "However the child ends, the parent makes the whole file.",
        TIMES,
        partial(trials, ending="fork", writers=_ONE),
    ),
]
