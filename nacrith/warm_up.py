"""What takes long the first time, done at once: kernels are compiled, the model is unpacked.

Kernels that are compiled in one process run up to a fifth faster than those that are compiled
one by one as they are needed (measured). Python's own bytecode, without which each start takes
0.1 s longer, is made where importing does not.
"""

import compileall
import gzip
import io
import struct
import textwrap
import time
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from nacrith import setup_record
from nacrith.models.catalog import describe
from nacrith.models.corrections import corrected, default_corrected
from nacrith.pipeline.compress import compress_stream
from nacrith.pipeline.decompress import decompress_stream
from nacrith.pipeline.options import CompressOptions
from nacrith.pipeline.presets import LEVELS
from nacrith.transforms.jpeg.plain_picture import plain_picture

_WORDS = "the sea was calm and all the boats had gone out before it was light that morning"
# Every third to fortieth word of the sentence, said again and again: hard-wrapped prose.
_PROSE = textwrap.fill(
    " ".join(word for n in range(3, 41) for word in (_WORDS.split() * n)[::n]).capitalize(), 60
)
_NUMBERS = b"".join(i.to_bytes(4, "little") + b"row\0" for i in range(300))


def _with_fixed_codes(content: bytes) -> bytes:
    """A stream of deflate whose block's header is not the one that is predicted."""
    compressor = zlib.compressobj(strategy=zlib.Z_FIXED)
    return compressor.compress(content) + compressor.flush()


_STREAMS = gzip.compress(_NUMBERS, mtime=0) + _with_fixed_codes(_PROSE.encode()[:300])
_CODE = b"\x55\x48\x89\xe5\xe8\x10\0\0\0" * 40
_WAVES = bytes(i * i % 64 for i in range(1200))
_SOUND = b"RIFF\0\0\0\0WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16000, 2, 16)
_MEDIA = (
    b"P4 96 100\n" + _WAVES,
    b"P5 40 30 255\n" + _WAVES,
    _SOUND + b"data" + struct.pack("<I", len(_WAVES)) + _WAVES,
)

SAMPLES = (
    f"{_PROSE}.\n".encode(),
    "Où sont les élèves? À la forêt, près de l'été.\r\n".encode("latin-1") * 8,
    _NUMBERS,
    _STREAMS,
    _CODE + _NUMBERS + _PROSE.encode(),
    b"".join(_MEDIA),
)
"""Between them and a JPEG picture they need every kernel that files of any kind need."""


def warm_up(model: Path | None = None) -> Iterator[str]:
    """Compress and restore small samples of all kinds at all kinds of levels.

    Args:
        model: GGUF path; None = the embedded default.

    Yields:
        What is being done, for the user.

    Raises:
        NacrithError: no model, or one that can't be used.
    """
    file = corrected(describe(model)) if model else default_corrected()
    if setup_record.is_done(file):
        yield "ready: all has been compiled and unpacked before"
        return
    begin = time.monotonic()
    yield f"unpacking {file.name} and compiling, about a minute the first time ..."
    # The model is used for all text, whether that pays or not.
    with_model = replace(LEVELS[6], least_saving=None)
    without_model = [preset for preset in LEVELS.values() if preset.mixing]
    for preset in (*without_model, with_model):
        for sample in SAMPLES:
            _there_and_back(sample, CompressOptions(model, preset=preset))
    _there_and_back(SAMPLES[3], CompressOptions(model))
    _there_and_back(plain_picture(), CompressOptions(model, preset=without_model[0]))
    _there_and_back(SAMPLES[0], CompressOptions(model, preset=with_model, streams=3))
    for folder in setup_record.PACKAGES:
        compileall.compile_dir(folder, quiet=2)
    setup_record.write(file)
    yield f"ready, after {time.monotonic() - begin:.0f} s"


def _there_and_back(sample: bytes, options: CompressOptions) -> None:
    packed, restored = io.BytesIO(), io.BytesIO()
    compress_stream(io.BytesIO(sample), packed, options, len(sample))
    packed.seek(0)
    decompress_stream(packed, restored, options.model)
    assert restored.getvalue() == sample
