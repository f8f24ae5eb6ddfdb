"""Mutated containers, with their checksums as they come or made right again."""

import io
import json
import re
import subprocess
import sys
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from nacrith.codec.codec_request import CodecRequest, CompressRequest, DecompressRequest
from nacrith.codec.codec_slot import CodecSlot
from nacrith.codec.text_codec import TextCodec
from nacrith.errors import NacrithError
from nacrith.format.container import MAGIC, VERSION
from nacrith.format.varint import MAX_BYTES, Reader, to_varint
from nacrith.pipeline.compress import compress_stream
from nacrith.pipeline.decompress import decompress_stream
from nacrith.pipeline.options import CompressOptions
from nacrith.pipeline.presets import DEFAULT
from nacrith.system.progress import Progress
from nacrith.workers import InProcess
from tests.deflate_samples import gz, png
from tests.faults.lab import Fault, Lab, must
from tests.faults.memory import limit

_GOLDEN = Path(__file__).parents[1] / "golden"

PATIENCE = 1
"""Seconds of processor time after which a decoder that is still at work is stopped."""

MEMORY = 1 << 30
"""Bytes that decoding a mutant may map."""


@dataclass(frozen=True)
class Samples:
    """Valid files and what they restore to; `restored` matches what is right."""

    packed: list[bytes]
    restored: re.Pattern[bytes]
    model: Path

    @classmethod
    def make(cls, model: Path) -> "Samples":
        """Files of all kinds of segments: of one frame and of several, with and without text."""
        random = Random(2)
        text = "".join(f"{i}. sheep, déjà vu\r\n" for i in range(9))
        table = b"".join(i.to_bytes(4, "little") + b"row\0" for i in range(99))
        noise = random.randbytes(300)
        originals = {
            b"": 1 << 20,
            noise: 1 << 20,
            table: 1 << 20,
            text.encode(): 1 << 20,
            text.encode("utf-16"): 1 << 20,
            ("Ночь, улица, фонарь, аптека.\n" * 9).encode("koi8-r") + b"\xff\x80": 1 << 20,
            ("我们在学校里学习，他们不知道。\n" * 9).encode("gb18030") + b"\xff": 1 << 20,
            bytes(7000): 1 << 20,
            text.encode("latin-1") + noise * 2 + table: 700,
            random.randbytes(1 << 15) + table * 2: 1 << 14,
            # Streams in each other, and in pieces.
            gz(noise + gz(text.encode() * 3) + png(9, 30, 50)): 1 << 20,
            (_GOLDEN / "pictures.bin").read_bytes()[:3000]: 1 << 20,
        }
        parameters = Samples.parameters()
        packed = []
        for original, block_size in originals.items():
            sink = io.BytesIO()
            # The tiny model knows nothing, and would not be used.
            preset = replace(DEFAULT, least_saving=None)
            options = CompressOptions(model, threads=1, preset=preset, parameters=parameters)
            options = replace(options, streams=2, block_size=block_size)
            compress_stream(io.BytesIO(original), sink, options, len(original))
            packed.append(sink.getvalue())
        restored = b"(?:" + b"|".join(re.escape(o) for o in originals) + b")*"
        return cls(packed, re.compile(restored, re.DOTALL), model)

    @staticmethod
    def parameters() -> Any:
        return type(DEFAULT.parameters)(window=256)


def mutate(random: Random, packed: list[bytes]) -> bytes:
    """A few random changes of a random file."""
    data = bytearray(random.choice(packed))
    for _ in range(random.choice((1, 1, 1, 2, 3, 8))):
        _change(random, data, packed)
    return bytes(data)


def _change(random: Random, data: bytearray, packed: list[bytes]) -> None:
    a, b = sorted(random.randrange(len(data) + 1) for _ in range(2))
    b = min(b, a + random.choice((1, 4, 1000)))
    kind = random.randrange(7)
    if kind == 0 and a < len(data):
        data[a] ^= 1 << random.randrange(8)
    elif kind == 1 and a < len(data):
        data[a] = random.choice((0, 1, 0x7F, 0x80, 0xFF, random.randrange(256)))
    elif kind == 2:
        data[a:a] = random.randbytes(random.randrange(1, 20))
    elif kind == 3:
        del data[a:b]
    elif kind == 4:
        data[a:a] = data[a:b]
    elif kind == 5:
        other = random.choice(packed)
        data[a:] = other[random.randrange(len(other) + 1) :]
    else:
        data[a:b] = to_varint(random.getrandbits(random.randrange(1, 64)))


def with_right_checksums(random: Random, data: bytes) -> bytes:
    """Change the body of a record, and make its length and its CRC-32 right again."""
    records = _records(data)
    if not records:
        return data
    changed = random.randrange(len(records))
    out = b""
    for i, (kind, body) in enumerate(records):
        if i == changed:
            spoiled = bytearray(body)
            for _ in range(random.choice((1, 1, 2, 4))):
                _change(random, spoiled, [b for _, b in records])
            body = bytes(spoiled)
        content = kind + to_varint(len(body)) + body
        out += content + zlib.crc32(content).to_bytes(4, "little")
    return out


def _records(data: bytes) -> list[tuple[bytes, bytes]]:
    """The records of a valid file: what each begins with, and its body."""
    records = []
    position = 0
    while position < len(data):
        start = MAGIC + bytes([VERSION])
        kind = start if data.startswith(start, position) else data[position : position + 1]
        position += len(kind)
        head = data[position : position + MAX_BYTES]
        reader = Reader(head, "record")
        length = reader.varint()
        position += len(head) - reader.left
        records.append((kind, data[position : position + length]))
        position += length + 4
    return records


class _Impatient(Exception):
    """The decoder was at work for too long."""


class _Watch(Progress):
    """A progress display that stops a decoder."""

    def __init__(self) -> None:
        self._end = time.process_time() + PATIENCE

    def update(self, position: int, tokens: int, payload: int) -> None:
        if time.process_time() > self._end:
            raise _Impatient


class _Slot(CodecSlot):
    """Keeps the model of the samples open."""

    kept: dict[CodecRequest, TextCodec] = {}  # noqa: RUF012 (shared on purpose)

    def open(self, request: CodecRequest | None) -> TextCodec | None:
        if not isinstance(request, (CompressRequest, DecompressRequest)):
            assert request is None
            return None
        if request.parameters != Samples.parameters():
            codec = super().open(request)
            assert isinstance(codec, TextCodec)
            return codec
        if request not in self.kept:
            self.kept[request] = request.open()
        return self.kept[request]


class _Workers(InProcess):
    def __init__(self, progress: Progress) -> None:
        super().__init__(progress)
        self._slot = _Slot()


def outcome(data: bytes, samples: Samples) -> str:
    """Decode; return what came of it.

    Raises:
        Broken: wrong bytes, or an error that is not of this package.
    """
    sink = io.BytesIO()
    watch = _Watch()
    try:
        decompress_stream(io.BytesIO(data), sink, samples.model, watch, _Workers(watch))
    except NacrithError:
        return "refused"
    except _Impatient:
        return f"stopped after {PATIENCE} s"
    except Exception as error:
        must(False, f"{type(error).__name__}: {error} for {data.hex()}")
    must(bool(samples.restored.fullmatch(sink.getvalue())), f"wrong bytes for {data.hex()}")
    return "right bytes"


def run(model: Path, seed: int, times: int, right: bool) -> Counter[str]:
    """Try mutants of one seed in this process, whose memory gets limited."""
    # The cross-check with PyTorch needs more than a gigabyte.
    sys.modules["torch"] = None  # type: ignore[assignment]
    samples = Samples.make(model)
    for packed in samples.packed:
        must(outcome(packed, samples) == "right bytes", "a valid file was refused")
    limit(MEMORY)
    # Text takes longest.
    weights = [1 if model.stem.encode() in packed else 8 for packed in samples.packed]
    random = Random(seed)
    outcomes: Counter[str] = Counter()
    slowest = 0.0
    for _ in range(times):
        if right:
            data = with_right_checksums(random, random.choices(samples.packed, weights)[0])
        else:
            data = mutate(random, samples.packed)
        begin = time.process_time()
        outcomes[outcome(data, samples)] += 1
        slowest = max(slowest, time.process_time() - begin)
    must(slowest < 4 * PATIENCE, f"{slowest:.0f} s for one file")
    return outcomes


def _trials(right: bool) -> Any:
    def trials(lab: Lab, times: int) -> Iterator[str]:
        arguments = [
            str(lab.model),
            str(lab.random.randrange(1 << 32)),
            str(times),
            str(int(right)),
        ]
        result = subprocess.run(
            [sys.executable, "-m", "tests.faults.mutants", *arguments],
            capture_output=True, env=lab.environment, check=False,
        )  # fmt: skip
        must(result.returncode == 0, result.stderr.decode()[-2000:])
        for name, n in json.loads(result.stdout).items():
            yield from [name] * n

    return trials


def false_claims(lab: Lab, times: int) -> Iterator[str]:
    """Containers that claim 2^63 - 1 and other false lengths in each of their parts."""
    for i in range(times):
        claim = to_varint((1 << 63) - 1 - i * lab.random.randrange(1 << 40))
        bodies = [b"\x08" + claim, b"\x08\x01" + claim + b"1234", b"\x08\x01\x04" + claim]
        body = bodies[i % len(bodies)] if i % 2 else None
        content = (
            MAGIC + bytes([VERSION]) + (claim if body is None else to_varint(len(body)) + body)
        )
        data = content + zlib.crc32(content).to_bytes(4, "little")
        lab.clear()
        lab.put("a.nc", data)
        code, _, error = lab.run("decompress", "a.nc", preexec_fn=None)
        must(code == 1 and "damaged" in error, f"exit code {code}: {error}")
        yield "refused"


_MUST = (
    "The right bytes or a `NacrithError`, in bounded time, with at most 1 GiB of address space "
    "more than for valid files."
)

FAULTS = [
    Fault("mutants: changes at random", _MUST, 50_000, _trials(right=False)),
    Fault("mutants: changes in one record, its CRC right", _MUST, 50_000, _trials(right=True)),
    Fault("a container that claims about 2^63 bytes", "It is refused.", 6, false_claims),
]

if __name__ == "__main__":
    _, model, seed, times, right = sys.argv
    print(json.dumps(run(Path(model), int(seed), int(times), right == "1")))
