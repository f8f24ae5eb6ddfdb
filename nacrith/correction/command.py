"""How the commands of this package end: an error is one line, and exit code 1."""

import sys
from collections.abc import Callable

from corpora import CorpusError
from nacrith.errors import NacrithError
from predictors.base import ModelError


def run(name: str, main: Callable[[], None]) -> None:
    """Run a command; raises SystemExit if it fails."""
    try:
        main()
    except (CorpusError, ModelError, NacrithError, OSError) as error:
        sys.exit(f"nacrith.correction.{name}: {error}")
