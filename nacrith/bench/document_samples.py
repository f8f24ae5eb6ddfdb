"""Documents, archives and pictures as people keep them, made by the programs that are found."""

import gzip
import io
import shutil
import subprocess
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nacrith.bench.texts import alice

ROOT = Path(__file__).resolve().parents[2]

# Text of the e-book and the documents, bytes; and sources of the archives, whole files.
_TEXT, _SOURCES = 60_000, 250_000

_PICTURE = (900, 600)

# A command that makes {archive} of the files in the current folder.
_ARCHIVERS = {
    "Info-ZIP -6": "zip -q -r -6 {archive} .",
    "Info-ZIP -9": "zip -q -r -9 {archive} .",
    "Java": "jar cfM {archive} .",
    "Go": "go run {folder}/main.go {archive}",
    "7-zip -mx=5": "7zz a -bso0 -tzip -mx=5 {archive} .",
    "7-zip -mx=9": "7zz a -bso0 -tzip -mx=9 {archive} .",
    "zopfli": "zip -q -r -9 {archive} . && advzip -q -z -4 {archive}",
}
_PROGRAMS = {"Info-ZIP": "zip", "Java": "jar", "Go": "go", "7-zip": "7zz", "zopfli": "advzip"}

# Go has no such program, but what makes one.
_IN_GO = """package main

import (
	"archive/zip"
	"os"
	"path/filepath"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	file, err := os.Create(os.Args[1])
	check(err)
	archive := zip.NewWriter(file)
	check(filepath.Walk(".", func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		check(err)
		member, err := archive.Create(filepath.ToSlash(path))
		check(err)
		_, err = member.Write(data)
		return err
	}))
	check(archive.Close())
	check(file.Close())
}
"""


def samples() -> Iterator[tuple[str, str, bytes]]:
    """Yield of each sample its name, what made it, and its bytes.

    Raises:
        NacrithError: the corpus that they are made of is not here.
    """
    text = alice()[:_TEXT].decode("ascii")
    sources = _sources()
    yield "epub", "zipfile -9", _archive(_epub(text), 9, stored=("mimetype",))
    yield "docx", "zipfile -6", _archive(_docx(text), 6)
    yield "xlsx", "zipfile -6", _archive(_xlsx(), 6)
    yield "odt", "zipfile -6", _archive(_odt(text), 6, stored=("mimetype",))
    yield "PDF with text", "zlib -6", _pdf(text)
    for made_by, picture in _screenshots():
        yield "PNG screenshot", made_by, picture
    yield "tarball of sources", "gzip -6", _tarball(sources, 6)
    yield "tarball of sources", "gzip -9", _tarball(sources, 9)
    for level in (1, 6, 9):
        yield "zip of sources", f"zipfile -{level}", _archive(sources, level)
    for made_by, archive in _other_archives(sources):
        yield "zip of sources", made_by, archive


def _sources() -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for path in sorted((ROOT / "nacrith").rglob("*.py")):
        if sum(map(len, found.values())) > _SOURCES:
            break
        found[path.relative_to(ROOT).as_posix()] = path.read_bytes()
    return found


def _archive(files: dict[str, bytes], level: int, stored: tuple[str, ...] = ()) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_STORED if name in stored else zipfile.ZIP_DEFLATED
            archive.writestr(info, data, compresslevel=level)
    return sink.getvalue()


def _paragraphs(text: str) -> list[str]:
    found = (" ".join(part.split()) for part in text.split("\n\n"))
    return [part.replace("&", "&amp;").replace("<", "&lt;") for part in found if part]


_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'


def _epub(text: str) -> dict[str, bytes]:
    paragraphs = _paragraphs(text)
    third = len(paragraphs) // 3 + 1
    chapters = {
        f"OEBPS/chapter{i}.xhtml": (
            f'{_XML}<html xmlns="http://www.w3.org/1999/xhtml"><head><title>{i}</title></head>\n'
            "<body>\n"
            + "\n".join(f"<p>{p}</p>" for p in paragraphs[i * third : (i + 1) * third])
            + "\n</body></html>\n"
        ).encode()
        for i in range(3)
    }
    container = (
        f'{_XML}<container version="1.0"><rootfiles><rootfile full-path="OEBPS/content.opf" '
        'media-type="application/oebps-package+xml"/></rootfiles></container>\n'
    )
    items = "".join(f'<item id="c{i}" href="chapter{i}.xhtml"/>\n' for i in range(3))
    return {
        "mimetype": b"application/epub+zip",
        "META-INF/container.xml": container.encode(),
        "OEBPS/content.opf": f"{_XML}<package>\n{items}</package>\n".encode(),
        **chapters,
    }


def _docx(text: str) -> dict[str, bytes]:
    w = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    body = "".join(
        '<w:p w:rsidR="00A77427" w:rsidRDefault="00A77427"><w:pPr><w:pStyle w:val="BodyText"/>'
        f'</w:pPr><w:r><w:t xml:space="preserve">{p}</w:t></w:r></w:p>'
        for p in _paragraphs(text)
    )
    types = (
        f'{_XML}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/></Types>'
    )
    return {
        "[Content_Types].xml": types.encode(),
        "word/document.xml": (
            f'{_XML}<w:document xmlns:w="{w}"><w:body>{body}</w:body></w:document>'
        ).encode(),
    }


def _xlsx() -> dict[str, bytes]:
    """A sheet of numbers, which look random but are the same everywhere."""
    state = 1
    lines = []
    for row in range(1, 1501):
        cells = []
        for column in "ABCDEF":
            state = (1664525 * state + 1013904223) % (1 << 32)
            value = row if column == "A" else (state >> 16) % 10000 / 100
            cells.append(f'<c r="{column}{row}" s="1"><v>{value}</v></c>')
        lines.append(f'<row r="{row}" spans="1:6">{"".join(cells)}</row>')
    sheet = f"{_XML}<worksheet><sheetData>{''.join(lines)}</sheetData></worksheet>"
    book = f'{_XML}<workbook><sheets><sheet name="1"/></sheets></workbook>'
    return {"xl/worksheets/sheet1.xml": sheet.encode(), "xl/workbook.xml": book.encode()}


def _odt(text: str) -> dict[str, bytes]:
    body = "".join(f'<text:p text:style-name="P1">{p}</text:p>' for p in _paragraphs(text))
    return {
        "mimetype": b"application/vnd.oasis.opendocument.text",
        "content.xml": (
            f"{_XML}<office:document-content><office:body><office:text>{body}</office:text>"
            "</office:body></office:document-content>"
        ).encode(),
    }


def _pdf(text: str) -> bytes:
    """Pages of lines, each page a stream."""
    lines = text.splitlines()
    out = bytearray(b"%PDF-1.4\n")
    for number, begin in enumerate(range(0, len(lines), 50), 4):
        shown = "".join(
            "({}) Tj T*\n".format(line.translate({40: "\\(", 41: "\\)", 92: "\\\\"}))
            for line in lines[begin : begin + 50]
        )
        data = zlib.compress(f"BT /F1 11 Tf 72 770 Td 14 TL\n{shown}ET\n".encode())
        out += b"%d 0 obj\n<</Length %d/Filter/FlateDecode>>\nstream\n" % (number, len(data))
        out += data + b"\nendstream\nendobj\n"
    return bytes(out + b"trailer\n<</Root 1 0 R>>\n%%EOF\n")


def _screenshots() -> Iterator[tuple[str, bytes]]:
    """A window with text in it; nothing without Pillow."""
    try:
        from PIL import Image, ImageDraw
    except ImportError:
        return
    width = _PICTURE[0]
    picture: Any = Image.new("RGB", _PICTURE, (250, 250, 250))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, width, 28), fill=(48, 52, 60))
    for x in range(width):
        draw.line((x, 29, x, 60), fill=(200 - x // 12, 210, 230 - x // 20))
    for i, line in enumerate(alice().decode("ascii").splitlines()[30:75]):
        draw.text((12, 66 + 12 * i), line, fill=(20, 20, 24))
    for optimize in (False, True):
        sink = io.BytesIO()
        picture.save(sink, "PNG", optimize=optimize)
        yield "Pillow, optimized" if optimize else "Pillow", sink.getvalue()


def _tarball(files: dict[str, bytes], level: int) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    if shutil.which("gzip"):
        command = ["gzip", f"-{level}", "-n"]
        return subprocess.run(
            command, input=sink.getvalue(), stdout=subprocess.PIPE, check=True
        ).stdout
    return gzip.compress(sink.getvalue(), level, mtime=0)


def _other_archives(files: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """Of the same files by the programs that are found."""
    with tempfile.TemporaryDirectory() as folder:
        content = Path(folder, "content")
        for name, data in files.items():
            path = content / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        Path(folder, "main.go").write_text(_IN_GO, "utf-8")
        for number, (made_by, command) in enumerate(_ARCHIVERS.items()):
            if not shutil.which(_PROGRAMS[made_by.partition(" ")[0]]):
                continue
            archive = Path(folder, f"{number}.zip")
            line = command.format(archive=archive, folder=folder)
            subprocess.run(line, shell=True, cwd=content, check=True)
            yield made_by, archive.read_bytes()
