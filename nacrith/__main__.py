"""`python -m nacrith`, and the command `nacrith`."""

import os
import signal
import sys
from contextlib import suppress

from nacrith.system import signals
from nacrith.system.garbage import seldom_searched


def main(program: str = "nacrith") -> None:
    """See `nacrith.cli.main`."""
    # An interruption while modules are imported is one line, too.
    signals.install()
    # Otherwise NumPy begins with a thread for each processor, 0.03 s, for matrix products that
    # are too small for it.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        with seldom_searched():
            from nacrith.cli import main

            main(program)
    except ModuleNotFoundError as error:
        if error.name != "click":
            raise
        # A checkout that was not installed; the packages of the commands are told of by these.
        sys.exit("nacrith: this needs click, which comes with nacrith: pip install . in its folder")
    except signals.Interrupted as end:
        if end.code == 128 + signal.SIGINT and not end.is_told:
            with suppress(OSError, AttributeError, ValueError):
                sys.stderr.write("nacrith: interrupted\n")
        raise


def unnacrith() -> None:
    """`nacrith -d`."""
    main("unnacrith")


def nacat() -> None:
    """`nacrith -dc`."""
    main("nacat")


if __name__ == "__main__":
    main()
