"""`python -m nacrith`, and the command `nacrith`."""

from nacrith.system import signals
from nacrith.system.garbage import seldom_searched


def main(program: str = "nacrith") -> None:
    """See `nacrith.cli.main`."""
    # An interruption while modules are imported is quiet, too.
    signals.install()
    with seldom_searched():
        from nacrith.cli import main

        main(program)


def unnacrith() -> None:
    """`nacrith -d`."""
    main("unnacrith")


def nacat() -> None:
    """`nacrith -dc`."""
    main("nacat")


if __name__ == "__main__":
    main()
