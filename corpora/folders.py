"""Where corpora are looked for, and where they are fetched to."""

import os
from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parent.parent


def fetched_folder() -> Path:
    """`nacrith/corpora` in the user's cache folder: $XDG_CACHE_HOME or ~/.cache."""
    if not (cache := os.environ.get("XDG_CACHE_HOME")):
        try:
            cache = str(Path.home() / ".cache")
        except RuntimeError:
            # A user without a home.
            cache = "/var/cache"
    return Path(cache) / "nacrith" / "corpora"


def folders() -> list[Path]:
    """What to look through, in this order.

    The folders that $NACRITH_CORPORA names, separated as those of $PATH are, or
    `../shared/corpora` beside the checkout; then that of what was fetched.
    """
    given = [Path(name) for name in os.environ.get("NACRITH_CORPORA", "").split(os.pathsep) if name]
    return [*(given or [_CHECKOUT.parent / "shared" / "corpora"]), fetched_folder()]
