"""What nothing can compress hardly grows."""

import io
import random

from nacrith.pipeline.compress import compress_stream
from nacrith.pipeline.decompress import decompress_stream
from nacrith.pipeline.options import CompressOptions


def test_random_bytes_grow_by_a_thousandth_at_most(tiny_gguf):
    data = random.Random(1).randbytes(1_000_000)
    for block_size in (1 << 22, 1 << 16):
        packed = io.BytesIO()
        options = CompressOptions(tiny_gguf, threads=1, block_size=block_size)
        compress_stream(io.BytesIO(data), packed, options, len(data))
        assert len(packed.getvalue()) <= 1.001 * len(data)
        restored = io.BytesIO()
        decompress_stream(io.BytesIO(packed.getvalue()), restored, tiny_gguf)
        assert restored.getvalue() == data
