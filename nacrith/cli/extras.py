"""Packages that the program does without, and how to get one that is needed after all."""

from importlib.util import find_spec

from nacrith.errors import NacrithError

_EXTRAS = {
    "accelerate": "torch",
    "brotli": "bench",
    "distributed": "cluster",
    "llama_cpp": "llama-cpp",
    "matplotlib": "bench",
    "PIL": "bench",
    "pynvml": "gpu",
    "pyppmd": "bench",
    "torch": "torch",
    "transformers": "torch",
    "zstandard": "bench",
}
"""Of each package, the extra that brings it (pyproject.toml)."""

_NEEDED = ("gguf", "numba", "numpy", "psutil", "rich", "safetensors", "tokenizers")
"""Packages that are there unless a checkout is run that was not installed."""


def require(*packages: str) -> None:
    """Look for packages before hours of work that end in one; raises NacrithError."""
    if missing := [name for name in packages if find_spec(name) is None]:
        raise NacrithError(how_to_get(missing))


def how_to_get(packages: list[str]) -> str:
    """What to tell a user who lacks packages of `_EXTRAS`, or one of `_NEEDED`."""
    if set(packages) <= set(_NEEDED):
        return f"this needs {packages[0]}, which comes with nacrith: pip install . in its folder"
    extras = ",".join(sorted({_EXTRAS[name] for name in packages}))
    return f"this needs {', '.join(packages)}: pip install 'nacrith[{extras}]'"


def missing_package(error: Exception) -> str | None:
    """The package of `_EXTRAS` or `_NEEDED` whose lack the error is about."""
    name = getattr(error, "name", None) or ""
    package = name.partition(".")[0]
    # Of what comes with nacrith a part alone is not lacking: that is another version, or damaged.
    known = package in _EXTRAS or name in _NEEDED
    return package if isinstance(error, ModuleNotFoundError) and known else None
