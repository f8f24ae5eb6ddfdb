"""A forked child leaves what its parent writes alone."""

import io
import os
import weakref
from contextlib import suppress

_outputs: "weakref.WeakSet[io.BufferedIOBase]" = weakref.WeakSet()


def keep_from_children(file: io.BufferedIOBase) -> None:
    """What a child of a fork writes to its copy of this file, or has buffered there, is lost."""
    _outputs.add(file)


def _leave_to_parent() -> None:
    """In a forked child: lead its copies of the descriptors to nowhere.

    They share the parent's position, and the child has a copy of what is still buffered.
    """
    null = os.open(os.devnull, os.O_WRONLY)
    for file in list(_outputs):
        with suppress(ValueError):  # It is closed.
            os.dup2(null, file.fileno())
    os.close(null)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)
