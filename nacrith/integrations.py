"""Make other programs' libraries know NC06 files, through their public hooks."""

import io
import logging
import shutil
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any, BinaryIO

from nacrith import api
from nacrith.file_objects.writing import CompressedWriter

FORMAT = "nctar"
"""Name of the archive format of `shutil`: a tar file, compressed."""

COMPRESSION = "nacrith"
"""Name of the compression of fsspec."""

_SUFFIX = ".tar.nc"


def register() -> None:
    """Register the archive format with `shutil` and the compression with fsspec, if it is here.

    fsspec does not learn the ending .nc: other programs use it for netCDF.
    """
    if FORMAT not in dict(shutil.get_archive_formats()):
        shutil.register_archive_format(FORMAT, _make_archive, description="tar file, nacrith")
    if FORMAT not in {name for name, *_ in shutil.get_unpack_formats()}:
        shutil.register_unpack_format(FORMAT, [_SUFFIX], _unpack_archive)
    try:
        from fsspec.compression import register_compression
    except ImportError:
        return
    register_compression(COMPRESSION, _open, [], force=True)


def _make_archive(
    base_name: str,
    base_dir: str,
    owner: str | None = None,
    group: str | None = None,
    dry_run: bool = False,
    logger: logging.Logger | None = None,
) -> str:
    """As `shutil.make_archive` calls it, in the folder that `base_dir` is relative to."""
    name = base_name + _SUFFIX
    if logger:
        logger.info("creating %s", name)
    if dry_run:
        return name
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        tar = shutil.make_archive(
            str(Path(scratch) / "archive"), "tar", base_dir=base_dir, owner=owner, group=group
        )
        with open(tar, "rb") as source, api.open(name, "wb") as sink:
            shutil.copyfileobj(source, sink)
    return name


def _unpack_archive(name: str, folder: str, **options: Any) -> None:
    """As `shutil.unpack_archive` calls it; `options`: the filter of `tarfile`, if given."""
    if hasattr(tarfile, "data_filter"):
        options.setdefault("filter", "data")
    with api.open(name) as source, tarfile.open(fileobj=source, mode="r|") as tar:
        tar.extractall(folder, **options)


class _FsspecWriter(CompressedWriter):
    """Is closed by fsspec in the same way after an exception as without one.

    So what is closed while an exception is handled that was not when it was opened is
    left without an end: a part must not pass for the whole.
    """

    def __init__(self, raw: io.RawIOBase) -> None:
        super().__init__(raw)
        self._handled = sys.exc_info()[1]

    def close(self) -> None:
        error = sys.exc_info()[1]
        if error is None or error is self._handled:
            super().close()
        else:
            self.discard()


def _open(file: BinaryIO, mode: str = "rb", **options: Any) -> Any:
    """As fsspec calls it, with a file object of the compressed data."""
    result = api.open(file, mode if "b" in mode else mode + "b", **options)
    return _FsspecWriter(result.detach()) if isinstance(result, CompressedWriter) else result
