"""Packages that the program does without, and the extras that bring them."""

from importlib.util import find_spec

from nacrith.errors import NacrithError

EXTRAS = {
    "accelerate": "torch",
    "brotli": "bench",
    "distributed": "cluster",
    "matplotlib": "bench",
    "PIL": "bench",
    "pyppmd": "bench",
    "torch": "torch",
    "transformers": "torch",
    "zstandard": "bench",
}
"""The extra of each package, by the name that is imported."""


def require(*packages: str) -> None:
    """Ask for packages at once rather than after hours.

    Raises:
        NacrithError: some are not installed, with one command that installs them all.
    """
    missing = [package for package in packages if find_spec(package) is None]
    if missing:
        raise NacrithError(needed(*missing))


def needed(*packages: str) -> str:
    """What to say if these packages of `EXTRAS` are missing."""
    extras = ",".join(sorted({EXTRAS[package] for package in packages}))
    return f"this needs {', '.join(packages)}: pip install 'nacrith[{extras}]'"
