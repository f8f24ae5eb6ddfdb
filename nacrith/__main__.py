"""`python -m nacrith`, and the command `nacrith`."""

from nacrith.system import signals
from nacrith.system.garbage import seldom_searched


def main() -> None:
    """See `nacrith.cli.main`."""
    # An interruption while modules are imported is quiet, too.
    signals.install()
    with seldom_searched():
        from nacrith.cli import main

        main()


if __name__ == "__main__":
    main()
