"""Weights are mapped and checked in a thread while the modules that need them are imported.

That is done only for files that a single frame of this process is for; whatever is wrong with
one is told by who reads it later.
"""

from contextlib import suppress
from pathlib import Path

from nacrith.cli.fast_import import import_numba
from nacrith.errors import NacrithError
from nacrith.pipeline.options import CompressOptions
from nacrith.system.devices import DeviceChoice

_LOOKED_AT = 1 << 10
"""Bytes at the beginning of a file: a NUL among them, and it is hardly text."""

_EXACT = "exact"


def may_be_text(path: Path) -> bool:
    """A guess by the beginning of a file; raises OSError."""
    with open(path, "rb") as file:
        return b"\0" not in file.read(_LOOKED_AT)


def before_compression(path: Path | None, options: CompressOptions) -> None:
    """Import what is always needed, and map the weights that a file will probably need.

    Args:
        path: None = standard input.
    """
    if path and path.is_file():
        with suppress(OSError, NacrithError):
            _map_for_compression(path, options)
    import_numba()


def before_restoring(path: Path | None, device: DeviceChoice) -> None:
    """Import what is always needed, and map the weights that a compressed file names.

    Args:
        path: None = standard input.
    """
    if path and path.is_file() and not device.must_be_gpu:
        with suppress(OSError, NacrithError):
            _map_for_restoring(path)
    import_numba()


def _map_for_compression(path: Path, options: CompressOptions) -> None:
    if options.preset.mixing is not None or options.backend not in ("auto", _EXACT):
        return
    if path.stat().st_size > options.block_size or options.device.must_be_gpu:
        return
    if not may_be_text(path):
        return
    from nacrith.models.catalog import default_path
    from predictors.language_models.file_hash import remembered_sha256

    model = options.model or default_path()
    sha256 = remembered_sha256(model) if model else None
    if model and sha256:
        from nacrith.models.catalog import ModelFile
        from nacrith.models.corrections import corrected, short_name

        found = corrected(ModelFile("", model, sha256), options.correction)
        _map(sha256, short_name(found.correction))


def _map_for_restoring(path: Path) -> None:
    from nacrith.format.container import MemberReader
    from nacrith.format.frame import Kind

    with open(path, "rb") as file:
        member = next(iter(MemberReader(file)))
        model = member.header.model
        has_text = member.sole and Kind.TEXT in member.sole.payloads
        if has_text and model and model.numerics.backend == _EXACT:
            _map(model.sha256, model.correction)


def _map(sha256: str, correction: str) -> None:
    from predictors.language_models.array_file import cache_folder, kept_name, map_ahead

    if folder := cache_folder():
        for path in folder.glob(kept_name(sha256, "*", correction)):
            map_ahead(path)
