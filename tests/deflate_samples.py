"""Contents, streams of deflate around them, and files of the kinds that hold such streams."""

import gzip
import io
import random
import struct
import tarfile
import zipfile
import zlib

from tests.golden_cases import SENTENCE

_WORDS = SENTENCE.split()


def prose(n: int, seed: int = 1) -> bytes:
    """n bytes of words in any order."""
    chosen = random.Random(seed)
    words = [chosen.choice(_WORDS) for _ in range(n // 2 + 1)]
    return " ".join(words).encode()[:n]


def rows(n: int, seed: int = 2) -> bytes:
    """n bytes of a table of rows of 12 bytes."""
    chosen = random.Random(seed)
    return b"".join(
        i.to_bytes(4, "little") + chosen.randrange(50).to_bytes(4, "big") + b"\1\0\xff\xfe"
        for i in range(n // 12 + 1)
    )[:n]


def noise(n: int, seed: int = 3) -> bytes:
    return random.Random(seed).randbytes(n)


CONTENTS = {
    "prose": prose(50_000),
    "rows": rows(60_000),
    "zeros": bytes(20_000),
    "noise": noise(30_000),
    "mixed": prose(9_000) + noise(40_000) + rows(9_000) + bytes(4_000) + prose(9_000),
    "short": b"abcabcabcabcabcabcd",
    "byte": b"x",
    # Matches at all distances around the window.
    "far": noise(300) + noise(32_200, 4) + noise(300) + noise(520, 5) + noise(300),
}


def deflated(
    content: bytes, level: int = 6, window: int = 15, memory: int = 8, strategy: int = 0
) -> bytes:
    """A raw stream as zlib makes it."""
    compressor = zlib.compressobj(level, zlib.DEFLATED, -window, memory, strategy)
    return compressor.compress(content) + compressor.flush()


def unpredictable() -> bytes:
    """A gzip file of literals where zlib would find matches, with codes that change."""
    content = prose(20_000)
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15, 8, zlib.Z_HUFFMAN_ONLY)
    halves = compressor.compress(content[:9000]) + compressor.flush(zlib.Z_SYNC_FLUSH)
    matching = zlib.compressobj(9, zlib.DEFLATED, -15)
    stream = halves + matching.compress(content[9000:]) + matching.flush()
    checks = zlib.crc32(content).to_bytes(4, "little") + len(content).to_bytes(4, "little")
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + stream + checks


def png(width: int = 70, height: int = 40, chunk: int = 1000, level: int = 6) -> bytes:
    """A picture of 24 bits, its data in chunks."""
    lines = b"".join(
        b"\1" + b"".join(bytes((x & 3, x * y & 7, y & 1)) for x in range(width))
        for y in range(height)
    )
    data = zlib.compress(lines, level)

    def record(kind: bytes, body: bytes) -> bytes:
        return (
            len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [record(b"IDAT", data[i : i + chunk]) for i in range(0, len(data), chunk)]
    return b"\x89PNG\r\n\x1a\n" + record(b"IHDR", header) + b"".join(chunks) + record(b"IEND", b"")


def pdf() -> bytes:
    """Enough of a document for its streams to be found."""
    objects = b"".join(
        b"%d 0 obj\n<< /Filter /FlateDecode /Length %d >>\nstream\r\n%s\nendstream\nendobj\n"
        % (i, len(data), data)
        for i, data in enumerate(zlib.compress(prose(900, i), 9) for i in range(3))
    )
    return b"%PDF-1.4\n" + objects + b"%%EOF\n"


def archive(level: int = 6, stream: bool = False) -> bytes:
    """A zip archive as an e-book or an office document is one.

    Args:
        stream: written to what can't be gone back in, so that sizes follow the members.
    """

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return not stream

        def seek(self, *args: int) -> int:
            if stream:
                raise OSError
            return super().seek(*args)

        def tell(self) -> int:
            if stream:
                raise OSError
            return super().tell()

    sink = Pipe()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as made:
        info = zipfile.ZipInfo("mimetype")
        made.writestr(info, "application/epub+zip", zipfile.ZIP_STORED)
        for i in range(3):
            member = zipfile.ZipInfo(f"text/chapter{i}.xhtml")
            member.compress_type = zipfile.ZIP_DEFLATED
            made.writestr(member, b"<html><p>" + prose(3000, i) + b"</p></html>", None, level)
        member = zipfile.ZipInfo("table.bin")
        member.compress_type = zipfile.ZIP_DEFLATED
        made.writestr(member, rows(3000), None, level)
    return sink.getvalue()


def gz(content: bytes, level: int = 9, name: str = "") -> bytes:
    """A gzip file, with a name if one is given."""
    sink = io.BytesIO()
    with gzip.GzipFile(name, "wb", level, sink, mtime=0) as made:
        made.write(content)
    return sink.getvalue()


def tarball() -> bytes:
    """A gzip file of a tar of a zip archive, a gzip file, and a picture."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as made:
        for name, data in (
            ("a.zip", archive()),
            ("b.gz", gz(prose(2000, 9), name="b")),
            ("c.png", png()),
        ):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            made.addfile(info, io.BytesIO(data))
    return gz(sink.getvalue(), 6)


FILES = {
    "gzip": gz(prose(5000)),
    "gzip with a name": gz(prose(5000), 6, "prose.txt"),
    "zip": archive(),
    "zip from a pipe": archive(9, stream=True),
    "png": png(),
    "png in one chunk": png(chunk=1 << 20, level=9),
    "pdf": pdf(),
    "zlib": zlib.compress(prose(4000), 1) + b"behind" + zlib.compress(rows(4000), 9),
    "tarball": tarball(),
    "garbage between": noise(500) + gz(prose(3000)) + noise(77, 8) + archive() + prose(300),
}
