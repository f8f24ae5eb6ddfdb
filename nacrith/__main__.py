"""`python -m nacrith`, and the command `nacrith`."""

import gc

from nacrith.system import signals

_YOUNG_OBJECTS = 100_000
"""Python looks for garbage after so many new objects. After 700, its own number, it takes 0.05 s
to search what is imported again and again."""


def main() -> None:
    """See `nacrith.cli.main`."""
    # An interruption while modules are imported is quiet, too.
    signals.install()
    gc.set_threshold(_YOUNG_OBJECTS)
    try:
        from nacrith.cli import main

        main()
    finally:
        # What ends with the process need not be searched for garbage before: 0.2 s.
        gc.freeze()


if __name__ == "__main__":
    main()
