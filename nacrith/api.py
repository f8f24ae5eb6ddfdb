"""The Python interface, in the shape of the standard library's gzip."""

import builtins
import errno
import io
import os
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Literal, TypedDict, overload

from nacrith.file_object import compressing_file, restoring_file
from nacrith.files import open_output
from nacrith.pipeline import BLOCK, CompressOptions, compress_stream, decompress_stream
from nacrith.presets import BEST, DEFAULT, FAST

if TYPE_CHECKING:
    from typing_extensions import Unpack

StrPath = str | os.PathLike[str]

_PRESETS = {"default": DEFAULT, "fast": FAST, "best": BEST}


class WriteOptions(TypedDict, total=False):
    """Those of `compress`, for `open`."""

    preset: str
    model: StrPath | None
    backend: str
    streams: int
    window: int
    threads: int
    block_size: int


def compress(
    data: bytes | bytearray | memoryview,
    *,
    preset: str = "default",
    model: StrPath | None = None,
    backend: str = "auto",
    streams: int = 0,
    window: int = 0,
    threads: int = 0,
    block_size: int = BLOCK,
) -> bytes:
    """Return `data` compressed: a whole NC06 file.

    Args:
        data: any bytes.
        preset: "default", "fast" or "best", as the command's options of these names.
        model: path of a GGUF file; None = the embedded model.
        backend: "auto", "exact", "llama.cpp", "llama.cpp-gpu" or "transformers".
        streams: parallel streams; 0 = by the size of the data.
        window: context in tokens; 0 = by the preset.
        threads: 0 = all CPUs.
        block_size: bytes of the original in a frame.

    Raises:
        NacrithError: no model, unusable parameters, ...
        ValueError: there is no such preset.
    """
    options = _options(preset, model, backend, streams, window, threads, block_size)
    sink = io.BytesIO()
    compress_stream(io.BytesIO(data), sink, options, len(data))
    return sink.getvalue()


def decompress(data: bytes | bytearray | memoryview, *, model: StrPath | None = None) -> bytes:
    """Return the original of a NC06 file.

    Args:
        data: the whole file; several files one after the other give their originals so.
        model: path of a GGUF file; None = find the one that the file names.

    Raises:
        NacrithError: the data is damaged, not a NC06 file, or its model is not here.
    """
    sink = io.BytesIO()
    decompress_stream(io.BytesIO(data), sink, _path(model))
    return sink.getvalue()


@overload
def open(
    file: StrPath | BinaryIO,
    mode: Literal["r", "rb"] = "rb",
    *,
    model: StrPath | None = None,
) -> io.BufferedReader: ...


@overload
def open(
    file: StrPath | BinaryIO, mode: Literal["w", "wb", "x", "xb"], **options: "Unpack[WriteOptions]"
) -> io.BufferedWriter: ...


@overload
def open(
    file: StrPath | BinaryIO,
    mode: Literal["rt", "wt", "xt"],
    *,
    encoding: str | None = None,
    errors: str | None = None,
    newline: str | None = None,
    **options: "Unpack[WriteOptions]",
) -> io.TextIOWrapper: ...


@overload
def open(
    file: StrPath | BinaryIO,
    mode: str,
    *,
    encoding: str | None = None,
    errors: str | None = None,
    newline: str | None = None,
    **options: "Unpack[WriteOptions]",
) -> IO[Any]: ...


def open(
    file: StrPath | BinaryIO,
    mode: str = "rb",
    *,
    encoding: str | None = None,
    errors: str | None = None,
    newline: str | None = None,
    **options: "Unpack[WriteOptions]",
) -> IO[Any]:
    """Open a NC06 file for reading or writing its original, as `gzip.open` does.

    A file is read frame by frame, so that its beginning is there before its end
    has been decoded. A path that is written appears when the file is closed, whole
    or not at all; an error of the compression is raised by `write` or `close`.

    Args:
        file: a path, or a binary file object, which is left open.
        mode: "r", "rb", "w", "wb", "x" or "xb" for bytes; "rt", "wt" or "xt" for text.
        encoding, errors, newline: of text, see `io.TextIOWrapper`.
        options: for reading `model`, as of `decompress`; for writing those of `compress`.

    Raises:
        OSError: as the built-in `open`.
        NacrithError: what is read is not a NC06 file, is damaged, ...
        ValueError: there is no such mode.
    """
    action, kind = mode[:1], mode[1:]
    if action not in ("r", "w", "x") or kind not in ("", "b", "t"):
        raise ValueError(f"the mode must be r, w or x with b or t, not {mode!r}")
    if kind != "t" and (encoding, errors, newline) != (None, None, None):
        raise ValueError("encoding, errors and newline are for text; use mode 'rt' or 'wt'")
    binary: io.BufferedReader | io.BufferedWriter
    if action == "r":
        model = _path(options.pop("model", None))
        if options:
            raise ValueError(f"only for writing: {', '.join(options)}")
        if isinstance(file, (str, os.PathLike)):
            source = builtins.open(file, "rb")  # noqa: SIM115 (the file object closes it)
            binary = restoring_file(source, model, close_source=True)
        else:
            binary = restoring_file(file, model)
    else:
        chosen = _options(**options)
        if not isinstance(file, (str, os.PathLike)):
            binary = compressing_file(nullcontext(file), chosen)
        elif action == "x" and os.path.lexists(file):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), os.fspath(file))
        else:
            binary = compressing_file(open_output(Path(file), force=action == "w"), chosen)
    return io.TextIOWrapper(binary, encoding, errors, newline) if kind == "t" else binary


def _options(
    preset: str = "default",
    model: StrPath | None = None,
    backend: str = "auto",
    streams: int = 0,
    window: int = 0,
    threads: int = 0,
    block_size: int = BLOCK,
) -> CompressOptions:
    if preset not in _PRESETS:
        raise ValueError(f"the preset must be one of {', '.join(_PRESETS)}, not {preset!r}")
    chosen = _PRESETS[preset]
    parameters = replace(
        chosen.parameters, streams=streams, window=window or chosen.parameters.window
    )
    return CompressOptions(
        _path(model), backend, threads, chosen, parameters, block_size=block_size
    )


def _path(model: StrPath | None) -> Path | None:
    return None if model is None else Path(model)
