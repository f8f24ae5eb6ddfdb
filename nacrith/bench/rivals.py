"""The compressors that are compared, ours and others, each at its strongest usual setting."""

import bz2
import gzip
import io
import lzma
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

from nacrith.errors import NacrithError
from nacrith.models.catalog import embedded_path
from nacrith.models.corrections import shipped
from nacrith.pipeline.compress import compress_stream
from nacrith.pipeline.decompress import decompress_stream
from nacrith.pipeline.options import CompressOptions
from nacrith.pipeline.presets import BEST, DEFAULT, LEVELS, Preset


@dataclass(frozen=True)
class Program:
    """A compressor.

    Attributes:
        name: with its settings, as in the tables.
        compress, decompress: bytes to bytes.
        is_ours: one of this project.
        compress_start: the start of a file of this size, with the settings for the whole of it;
            None = settings do not depend on the size.
        needs: bytes of the model and the correction of its weights, which both directions need
            and no file counts.
    """

    name: str
    compress: Callable[[bytes], bytes]
    decompress: Callable[[bytes], bytes]
    is_ours: bool = False
    compress_start: Callable[[bytes, int], bytes] | None = None
    needs: int = 0


_OPTIONAL = ("zstandard", "brotli", "pyppmd")
_PPMD_ORDER, _PPMD_MEMORY = 16, 1 << 28


def programs(streams: int = 0) -> list[Program]:
    """All compressors: the others first.

    Args:
        streams: of ours; 0 = by the size of the text.

    Raises:
        NacrithError: packages of others are missing.
    """
    missing = [name for name in _OPTIONAL if find_spec(name) is None]
    if missing:
        raise NacrithError(
            f"the comparison needs the packages {', '.join(missing)}: `make env-test`, or "
            f"`pip install {' '.join(missing)}`"
        )
    import brotli
    import pyppmd
    import zstandard

    def xz(data: bytes) -> bytes:
        return lzma.compress(data, preset=9 | lzma.PRESET_EXTREME)

    def ppmd(data: bytes) -> bytes:
        return pyppmd.compress(data, max_order=_PPMD_ORDER, mem_size=_PPMD_MEMORY, variant="I")

    def unppmd(packed: bytes) -> bytes:
        return pyppmd.decompress(packed, max_order=_PPMD_ORDER, mem_size=_PPMD_MEMORY, variant="I")

    zstd = zstandard.ZstdCompressor(level=22)
    return [
        Program("gzip -9", lambda data: gzip.compress(data, 9), gzip.decompress),
        Program("bzip2 -9", lambda data: bz2.compress(data, 9), bz2.decompress),
        Program("xz -9e", xz, lzma.decompress),
        Program("zstd -22 --ultra", zstd.compress, zstandard.ZstdDecompressor().decompress),
        Program(
            "brotli -q 11",
            lambda data: brotli.compress(data, quality=11, lgwin=24),
            brotli.decompress,
        ),
        Program(f"PPMd var. I -o{_PPMD_ORDER}", ppmd, unppmd),
        _ours("nacrith -1", LEVELS[1], "exact", streams),
        _ours("nacrith -2", LEVELS[2], "exact", streams),
        _ours("nacrith -3", LEVELS[3], "exact", streams),
        _ours("nacrith -5", LEVELS[5], "exact", streams),
        _ours("nacrith", DEFAULT, "exact", streams),
        _ours("nacrith --best", BEST, "exact", streams),
        _ours("nacrith, llama.cpp", DEFAULT, "llama.cpp", streams),
    ]


def _ours(name: str, preset: Preset, backend: str, streams: int) -> Program:
    def compress_start(data: bytes, size: int) -> bytes:
        options = CompressOptions(
            backend=backend, preset=preset, parameters=preset.parameters, streams=streams
        )
        sink = io.BytesIO()
        compress_stream(io.BytesIO(data), sink, options, len(data))
        return sink.getvalue()

    def compress(data: bytes) -> bytes:
        return compress_start(data, len(data))

    def decompress(packed: bytes) -> bytes:
        sink = io.BytesIO()
        decompress_stream(io.BytesIO(packed), sink)
        return sink.getvalue()

    needs = 0 if preset.mixing else _model_size()
    return Program(name, compress, decompress, True, compress_start, needs)


def _model_size() -> int:
    model = embedded_path()
    return (model.stat().st_size if model else 0) + next(shipped()).size
