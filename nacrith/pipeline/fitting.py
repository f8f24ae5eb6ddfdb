"""What fits a limit of memory: fewer workers, then smaller tables, fewer streams, a shorter window.

As with xz, a limit changes how the work is done rather than refusing it, where that is possible:
all of these choices are the encoder's. A decoder can only do with fewer workers.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from nacrith.codec.streams_of_frame import streams_of
from nacrith.errors import MemoryLimitError, NacrithError
from nacrith.format.frame import Frame, Kind
from nacrith.format.header import Header, ModelRecord
from nacrith.models.catalog import model_for
from nacrith.models.model_size import ModelSize, model_size
from nacrith.pipeline import memory
from nacrith.pipeline.chosen_parameters import may_be_unlike, window_of
from nacrith.pipeline.content import Opened
from nacrith.pipeline.memory import MIB, TextShape
from nacrith.pipeline.options import CompressOptions
from nacrith.pipeline.presets import WITH_MODEL
from nacrith.plural import counted
from nacrith.transforms.opening.limits import NOTHING

_WINDOW_STEP = 256
"""Windows are multiples of it, and at least as long."""

_LEAST_TOKEN = 2
"""Bytes that tokens of text have on average, if the model is worth it; of prose they have four."""


@dataclass(frozen=True)
class Fitted:
    """How a run is to be done.

    Attributes:
        options: for compression.
        workers: processes.
        needed: about so many bytes of memory, of all processes together.
        changes: what is otherwise than it would be without a limit, for the user.
    """

    options: CompressOptions
    workers: int
    needed: int
    changes: tuple[str, ...] = ()


def fit_compression(
    options: CompressOptions,
    limit: int | None,
    workers: int,
    size: int | None,
    opened: Opened | None = None,
) -> Fitted:
    """Choose workers, streams and window for compression, and whether what is compressed already
    is opened.

    What the user chose is not changed: that is a number of streams, or a window other than the
    level's.

    Args:
        limit: bytes; None = there is none.
        workers: that there would be without a limit.
        size: of the input in bytes; None = not known.
        opened: what its largest block has with the compressed streams in it opened; None = not
            known, and taken for no more than the bytes of the block.

    Raises:
        MemoryLimitError: it does not fit, with what would be needed.
    """
    block = options.block_size if size is None else min(options.block_size, size)
    if opened is None:
        return _fit(options, limit, workers, block)
    expanded, pictures = max(block, opened.size), memory.of_pictures(opened.coefficients)
    if expanded == block and not pictures:
        return _fit(options, limit, workers, block)
    with suppress(MemoryLimitError):
        return _fit(options, limit, workers, expanded, pictures)
    if pictures:
        with suppress(MemoryLimitError):
            without = replace(options, inside=options.inside._replace(pictures=False))
            fitted = _fit(without, limit, workers, expanded)
            return replace(fitted, changes=(*fitted.changes, "JPEG pictures in it stay closed"))
    closed = _fit(replace(options, inside=NOTHING), limit, workers, block)
    return replace(closed, changes=(*closed.changes, "compressed streams in it stay closed"))


def _fit(
    options: CompressOptions, limit: int | None, workers: int, block: int, pictures: int = 0
) -> Fitted:
    """The same for blocks that have at most so many bytes, once they are opened.

    Args:
        pictures: bytes that a process needs besides.
    """
    if options.preset.mixing is not None:
        need = memory.without_model(block, options.preset.mixing) + pictures
        n = _most_workers(limit, workers, need, 0)
        if n == 0:
            raise _does_not_fit(need, limit, _advice(limit, need))
        needed = memory.together(n, need, 0)
        return Fitted(options, n, needed, _fewer(n, workers, "worker"))
    model = model_size(options.model)
    choices = list(_choices(options, block))
    tokens = block // _LEAST_TOKEN
    for window, streams, unlike in choices:
        shape = TextShape(streams, window, tokens, unlike)
        need = memory.of_block(model, shape, block) + pictures
        if n := _most_workers(limit, workers, need, model.weights):
            break
    else:
        raise _does_not_fit(
            need, limit, _advice(limit, memory.without_model(block, WITH_MODEL - 1) + pictures)
        )
    (usual_window, most, usually_unlike), *_ = choices
    changes = _fewer(n, workers, "worker") + _fewer(streams, most, "stream")
    if window < usual_window:
        preset, parameters = options.preset.chosen(window)
        options = replace(options, preset=preset, parameters=parameters)
        changes += (f"a window of {window} instead of {usual_window}",)
    if usually_unlike and not unlike:
        options = replace(options, preset=replace(options.preset, unlike_from=0))
        changes += ("smaller tables",)
    if streams < most:
        preset = replace(options.preset, cutting=replace(options.preset.cutting, most=streams))
        options = replace(options, preset=preset)
    return Fitted(options, n, memory.together(n, need, model.weights), changes)


def _choices(options: CompressOptions, block: int) -> Iterator[tuple[int, int, bool]]:
    """Windows, numbers of streams, and whether these are taken for unlike, which takes larger
    tables: the usual ones first, then what changes least."""
    window = window_of(options, block)
    most = options.streams or options.cutting.most_for(block)
    least = options.streams or 1
    if may_be_unlike(options, block):
        yield window, most, True
    for streams in range(most, least - 1, -1):
        yield window, streams, False
    if options.parameters.window == options.preset.parameters.window:
        for shorter in range(window - _WINDOW_STEP, 0, -_WINDOW_STEP):
            yield shorter, least, False


def _fewer(n: int, usual: int, noun: str) -> tuple[str, ...]:
    return (f"{counted(n, noun)} instead of {usual}",) if n < usual else ()


def _most_workers(limit: int | None, usual: int, need: int, shared: int) -> int:
    """The most workers, up to the usual number, that fit; 0 = not one."""
    if limit is None:
        return usual
    return next((n for n in range(usual, 0, -1) if memory.together(n, need, shared) <= limit), 0)


def _mebibytes(n_bytes: int | None) -> str:
    return f"{(n_bytes or 0) // MIB} MiB"


def _does_not_fit(need: int, limit: int | None, advice: str) -> MemoryLimitError:
    return MemoryLimitError(
        f"this needs about {_mebibytes(need)} of memory, the limit is {_mebibytes(limit)}; {advice}"
    )


def _advice(limit: int | None, without: int) -> str:
    """What to do if a level with the model does not fit.

    Args:
        without: bytes that a level without the model needs.
    """
    least = memory.without_model(1)
    if limit is None or limit < least:
        return f"no level takes less than about {_mebibytes(least)}"
    if limit < without:
        return "use a smaller --block-size"
    return f"-{WITH_MODEL - 1} does without the model and needs about {_mebibytes(without)}"


class RestoreLimit:
    """What restoring frames needs, against a limit.

    Attributes:
        need: bytes of a process, for the frame that needs most of those seen.
        shared: bytes of that which processes share.
    """

    def __init__(self, limit: int | None, model: Path | None = None) -> None:
        """
        Args:
            limit: in bytes, of each process; None = there is none.
            model: that the user named.
        """
        self._limit = limit
        self._given = model
        self.need = memory.PROCESS
        self.shared = 0
        self._sizes: dict[ModelRecord | None, ModelSize] = {}

    def look_at(self, header: Header, frame: Frame) -> int:
        """What a frame needs, which is remembered if it is the most so far.

        Raises:
            FormatError, UnsupportedError: it can't be restored at all.
        """
        size = frame.segments_size
        mixed = frame.size_of(Kind.MIXED) + frame.size_of(Kind.MIXED_TEXT)
        text = frame.payloads.get(Kind.MIXED_TEXT, b"")
        need, shared = memory.to_unmix(mixed, size, text[0] if text else 0), 0
        if streams := streams_of(frame):
            model = self._model(header)
            given = header.parameters
            shape = TextShape(streams, given.window, frame.n_symbols, bool(given.unlike))
            need, shared = max(need, memory.with_model(model, shape, size)), model.weights
        if frame.opened and frame.opened.pictures:
            need += memory.to_restore_pictures(len(frame.opened.pictures))
        if need > self.need:
            self.need, self.shared = need, shared
        return need

    def admit(self, header: Header, frame: Frame) -> None:
        """A frame is to be restored.

        Raises:
            MemoryLimitError: it does not fit.
            FormatError, UnsupportedError: as `look_at`.
        """
        need = self.look_at(header, frame)
        if self._limit is not None and need > self._limit:
            raise _does_not_fit(need, self._limit, "raise it, or restore the file elsewhere")

    def workers(self, usual: int) -> int:
        """As many as fit, at least one."""
        return max(1, _most_workers(self._limit, usual, self.need, self.shared))

    def needed(self, workers: int) -> int:
        """Bytes of so many workers together."""
        return memory.together(workers, self.need, self.shared)

    def _model(self, header: Header) -> ModelSize:
        # Where nothing is kept, to find a model is to hash it.
        if header.model not in self._sizes:
            self._sizes[header.model] = self._find(header)
        return self._sizes[header.model]

    def _find(self, header: Header) -> ModelSize:
        path = self._given
        if header.model and not path:
            # Whoever opens it tells that it is missing.
            with suppress(NacrithError):
                path = model_for(header.model.name, header.model.sha256, None).path
        return model_size(path)
