"""Which program made a document or an archive, as far as it says so itself."""

import io
import re
import zipfile

_MOST = 1 << 20
"""Bytes of a member that are read."""

_LONGEST = 40
"""Characters of a name that are shown."""

# A member of a zip archive, and what in it stands around the name.
_MEMBERS = {
    "docProps/app.xml": re.compile(rb"<Application>([^<]*)<"),
    "meta.xml": re.compile(rb"<meta:generator>([^<]*)<"),
    "META-INF/MANIFEST.MF": re.compile(rb"Created-By: ([^\r\n]*)"),
}
_PDF = re.compile(rb"/Producer\s*\(((?:[^()\\]|\\.)*)\)", re.DOTALL)


def maker_of(data: bytes) -> str:
    """The name in an office document, a jar or a PDF; empty if there is none."""
    found = _PDF.search(data) if data.startswith(b"%PDF") else _in_archive(data)
    if not found:
        return ""
    name = found[1].decode("utf-8", "replace")
    readable = "".join(c if c.isprintable() and c != "|" else " " for c in name)
    return readable.strip()[:_LONGEST]


def _in_archive(data: bytes) -> re.Match[bytes] | None:
    if not data.startswith(b"PK"):
        return None
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in set(archive.namelist()) & _MEMBERS.keys():
                with archive.open(name) as member:
                    return _MEMBERS[name].search(member.read(_MOST))
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, ValueError, EOFError):
        pass
    return None
