"""The command line. Heavy modules are imported inside the commands."""

from nacrith.cli.main import cli, main

__all__ = ["cli", "main"]
