"""The Python interface, in the shape of the standard library's gzip."""

import builtins
import codecs
import io
import operator
import os
from contextlib import nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Literal, TypedDict, overload

from nacrith.errors import ArgumentError, FileError
from nacrith.file_objects.openable import check_file_object, check_target
from nacrith.file_objects.opening import restoring_file
from nacrith.file_objects.writing import CompressedText, CompressedWriter, compressing_file
from nacrith.models.catalog import require
from nacrith.models.corrections import NONE, described
from nacrith.pipeline.compress import compress_stream
from nacrith.pipeline.decompress import decompress_stream
from nacrith.pipeline.options import BLOCK, CompressOptions
from nacrith.pipeline.presets import LEVELS, PRESETS
from nacrith.system.devices import DeviceChoice
from nacrith.system.files import open_output
from nacrith.system.part_file import NEW_SUFFIX
from nacrith.transforms.opening.limits import INSIDE
from nacrith.workers.gpu_team import library_workers

if TYPE_CHECKING:
    from typing_extensions import Unpack

StrPath = str | os.PathLike[str]
Data = bytes | bytearray | memoryview


PresetName = Literal["default", "fast", "best"]
BackendName = Literal["auto", "exact", "exact-torch", "llama.cpp", "llama.cpp-gpu", "transformers"]
InsideName = Literal["none", "streams", "jpeg"]


class WriteOptions(TypedDict, total=False):
    """Those of `compress`, for `open`."""

    preset: PresetName
    level: int | None
    model: StrPath | None
    backend: BackendName
    streams: int
    window: int
    threads: int
    block_size: int
    dictionary: Data
    correction: StrPath | None
    inside: InsideName
    device: str
    gpus: int


def compress(
    data: Data,
    *,
    preset: PresetName = "default",
    level: int | None = None,
    model: StrPath | None = None,
    backend: BackendName = "auto",
    streams: int = 0,
    window: int = 0,
    threads: int = 0,
    block_size: int = BLOCK,
    dictionary: Data = b"",
    correction: StrPath | None = None,
    inside: InsideName = "jpeg",
    device: str = "auto",
    gpus: int = 0,
) -> bytes:
    """Return `data` compressed: a whole NC06 file.

    Args:
        data: any bytes.
        preset: "default", "fast" or "best", as the command's options of these names.
        level: 1 to 9 in place of a preset: 1 (fast), 6 (default), 9 (best). Below 4 the model
            is not used.
        model: path of a GGUF file; None = the embedded model.
        backend: "auto", "exact", "exact-torch", "llama.cpp", "llama.cpp-gpu" or "transformers".
        streams: parallel streams; 0 = by the size of the data.
        window: context in tokens; 0 = by the preset.
        threads: 0 = all CPUs.
        block_size: bytes of the original in a frame.
        dictionary: what the data is like; `decompress` then needs it too. Empty = none.
        correction: of the model's weights: None = the one that is shipped for the model, if
            there is one; "none"; or the path of one (docs/correction.md), which `decompress`
            then needs too.
        inside: what in the data is opened: "none", "streams" (of deflate, as in gzip, zip, PNG and
            PDF) or "jpeg", JPEG pictures too.
        device: where the model runs: "auto" (GPUs where there are some that are fit, and data
            enough), "cpu", "cuda" (all GPUs) or "cuda:N". No byte depends on it.
        gpus: GPUs to use at most; 0 = all.

    GPUs are used by processes of their own, one each. All is checked first, needed or not.

    Raises:
        NacrithError: no model, one that can't use the parameters, ...
        ValueError: an argument makes no sense.
        TypeError: an argument is of another type.
    """
    size = memoryview(data).nbytes
    options = chosen_options(
        preset, level, model, backend, streams, window, threads, block_size, dictionary,
        correction, inside, device, gpus,
    )  # fmt: skip
    sink = io.BytesIO()
    n_frames = -(-size // options.block_size)
    with library_workers(
        options.device, n_frames, options.threads, block_size=options.block_size
    ) as workers:
        compress_stream(io.BytesIO(data), sink, options, size, workers=workers)
    return sink.getvalue()


def decompress(
    data: Data,
    *,
    model: StrPath | None = None,
    dictionary: Data = b"",
    correction: StrPath | None = None,
    device: str = "auto",
    gpus: int = 0,
) -> bytes:
    """Return the original of a NC06 file.

    Args:
        data: the whole file; several files one after the other give their originals so.
        model: path of a GGUF file; None = find the one that the file names.
        dictionary: that it was compressed with, if it was.
        correction: path of the correction that it was compressed with, if that is not shipped.
        device, gpus: as of `compress`.

    Raises:
        NacrithError: the data is damaged, not a NC06 file, its model is not here, or it needs
            another dictionary.
        TypeError: an argument is of another type.
    """
    # None would do as no data.
    memoryview(data)
    sink = io.BytesIO()
    path = model_path(model)
    with library_workers(DeviceChoice(device, integer("gpus", gpus))) as workers:
        decompress_stream(
            io.BytesIO(data),
            sink,
            path,
            workers=workers,
            dictionary=dictionary_bytes(dictionary),
            correction=correction_choice(correction),
        )
    return sink.getvalue()


@overload
def open(
    file: StrPath | BinaryIO,
    mode: Literal["r", "rb"] = "rb",
    *,
    model: StrPath | None = None,
    dictionary: Data = b"",
    correction: StrPath | None = None,
    device: str = "auto",
    gpus: int = 0,
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

    A file is read in checked parts, so that its beginning is there before its end
    has been decoded. A path that is written appears when `close` is called or a `with`
    block is left without an exception, whole or not at all; an error of the compression
    is raised by `write` or `close`. Any other end discards what was written: a path stays
    as it was, a file object is left with a file that has no end.

    Args:
        file: a path, or a binary file object, which is left open.
        mode: "r", "rb", "w", "wb", "x" or "xb" for bytes; "rt", "wt" or "xt" for text.
        encoding, errors, newline: of text, see `io.TextIOWrapper`.
        options: for reading those of `decompress`, for writing those of `compress`.

    Raises:
        OSError: as the built-in `open`.
        NacrithError: the target is being written by another run, there is no such model;
            later: what is read is not a NC06 file, is damaged, ...
        ValueError: there is no such mode, or an argument makes no sense.
        TypeError: an argument is of another type.
        LookupError: there is no such encoding or error handler.
    """
    if not isinstance(mode, str):
        raise TypeError(f"mode must be a string, not {type(mode).__name__}")
    action, kind = mode[:1], mode[1:]
    if action not in ("r", "w", "x") or kind not in ("", "b", "t"):
        raise ValueError(f"the mode must be r, w or x with b or t, not {mode!r}")
    if kind == "t":
        # Raises what it would raise of the file.
        io.TextIOWrapper(io.BytesIO(), encoding, errors, newline)
        codecs.lookup_error(errors or "strict")
    elif (encoding, errors, newline) != (None, None, None):
        raise ValueError("encoding, errors and newline are for text; use mode 'rt' or 'wt'")
    unknown = options.keys() - WriteOptions.__annotations__.keys()
    if unknown:
        raise TypeError(f"open() has no argument {', '.join(sorted(unknown))}")
    if action == "r":
        model = model_path(options.pop("model", None))
        dictionary = dictionary_bytes(options.pop("dictionary", b""))
        correction = correction_choice(options.pop("correction", None))
        gpus = integer("gpus", options.pop("gpus", 0))
        device = DeviceChoice(options.pop("device", "auto"), gpus)
        if options:
            raise ValueError(f"only for writing: {', '.join(options)}")
        reader = _reader(file, model, dictionary, correction, device)
        return io.TextIOWrapper(reader, encoding, errors, newline) if kind == "t" else reader
    writer = _writer(file, action, chosen_options(**options))
    return CompressedText(writer, encoding, errors, newline) if kind == "t" else writer


def _reader(
    file: StrPath | BinaryIO,
    model: Path | None,
    dictionary: bytes,
    correction: Path | str | None,
    device: DeviceChoice,
) -> io.BufferedReader:
    if not isinstance(file, (str, bytes, os.PathLike)):
        check_file_object(file, "read")
        return restoring_file(file, model, False, dictionary, correction, device)
    source = builtins.open(file, "rb")  # noqa: SIM115 (the file object closes it)
    return restoring_file(source, model, True, dictionary, correction, device)


def _writer(file: StrPath | BinaryIO, action: str, options: CompressOptions) -> CompressedWriter:
    if not isinstance(file, (str, bytes, os.PathLike)):
        check_file_object(file, "write")
        return compressing_file(nullcontext(file), options)
    check_target(file, exclusive=action == "x")
    # What a killed process leaves is not to be gone on with, and what is left of a command line is.
    target = open_output(Path(os.fsdecode(file)), force=action == "w", part_suffix=NEW_SUFFIX)
    try:
        return compressing_file(target, options)
    except FileError as error:
        cause = error.__cause__
        if isinstance(cause, OSError) and cause.errno is not None:
            raise OSError(cause.errno, cause.strerror, os.fspath(file)) from error
        raise


def chosen_options(
    preset: PresetName = "default",
    level: int | None = None,
    model: StrPath | None = None,
    backend: BackendName = "auto",
    streams: int = 0,
    window: int = 0,
    threads: int = 0,
    block_size: int = BLOCK,
    dictionary: Data = b"",
    correction: StrPath | None = None,
    inside: InsideName = "jpeg",
    device: str = "auto",
    gpus: int = 0,
) -> CompressOptions:
    """The options that the arguments of `compress` say; raises as it does."""
    if not isinstance(preset, str):
        raise TypeError(f"preset must be a string, not {type(preset).__name__}")
    if preset not in PRESETS:
        raise ArgumentError(f"the preset must be one of {', '.join(PRESETS)}, not {preset!r}")
    if level is None:
        level = PRESETS[preset]
    elif integer("level", level) not in LEVELS:
        raise ArgumentError(f"the level must be from 1 to {max(LEVELS)}, not {level}")
    elif preset != "default":
        raise ArgumentError("give a level or a preset, not both")
    if not isinstance(inside, str):
        raise TypeError(f"inside must be a string, not {type(inside).__name__}")
    if inside not in INSIDE:
        raise ArgumentError(f"inside must be one of {', '.join(INSIDE)}, not {inside!r}")
    chosen, parameters = LEVELS[integer("level", level)].chosen(integer("window", window))
    return CompressOptions(
        model_path(model),
        backend,
        integer("threads", threads),
        chosen,
        parameters,
        integer("streams", streams),
        block_size=integer("block_size", block_size),
        dictionary=dictionary_bytes(dictionary),
        correction=correction_choice(correction),
        inside=INSIDE[inside],
        device=DeviceChoice(device, integer("gpus", gpus)),
    )


def integer(name: str, value: int) -> int:
    """Make an `int` of what can be an index, as NumPy's integers can."""
    try:
        return operator.index(value)
    except TypeError as error:
        raise TypeError(f"{name} must be an integer, not {type(value).__name__}") from error


def dictionary_bytes(dictionary: Data) -> bytes:
    """A dictionary's bytes; raises TypeError if it has none."""
    try:
        return bytes(memoryview(dictionary))
    except TypeError as error:
        found = type(dictionary).__name__
        raise TypeError(f'dictionary must be bytes, b"" for none, not {found}') from error


def model_path(model: StrPath | None) -> Path | None:
    """A model's path, which must be there."""
    if model is None:
        return None
    path = Path(os.fsdecode(model))
    require(path)
    return path


def correction_choice(correction: StrPath | None) -> Path | str | None:
    """A user's choice of a correction; a path must be one."""
    if correction is None or correction == NONE:
        return correction
    return described(Path(os.fsdecode(correction))).path
