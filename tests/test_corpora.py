"""The manifest against the files, and fetching from a local server."""

import hashlib
import http.server
import io
import json
import os
import tarfile
import threading
import zipfile
from pathlib import Path

import pytest

import corpora
from corpora.download import DownloadError, download
from corpora.folders import fetched_folder, folders


def test_the_files_here_are_the_ones_of_the_manifest(canterbury):
    files = corpora.manifest()["canterbury"]["files"]
    assert len(files) == len(canterbury) == 11
    assert all(corpora.verify(canterbury[name], entry) for name, entry in files.items())


def test_texts_never_published_are_frozen():
    digest = hashlib.sha256()
    for path in corpora.unseen():
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    assert len(corpora.unseen()) == 6
    assert digest.hexdigest()[:16] == "d328bc3825792f06"


def test_enwik8_prefix(canterbury):
    assert corpora.enwik8(100).startswith(b"<mediawiki")


def archive(kind: str, files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(out, "w") as packed:
            for name, content in files.items():
                packed.writestr(name, content)
    else:
        with tarfile.open(fileobj=out, mode="w:gz") as tar:
            for name, content in files.items():
                member = tarfile.TarInfo("./" + name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


asked: list[str | None] = []
"""The ranges that were asked for."""

limit = [1 << 30]
"""How many bytes the server sends at once."""


@pytest.fixture
def server():
    served: dict[str, bytes] = {}
    asked.clear()
    limit[0] = 1 << 30

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            content = served.get(self.path)
            asked.append(self.headers.get("Range"))
            begin = int((asked[-1] or "bytes=0-")[6:-1])
            if content is None or begin >= len(content):
                self.send_error(404 if content is None else 416)
                return
            self.send_response(206 if asked[-1] else 200)
            self.send_header("Content-Length", str(len(content) - begin))
            self.end_headers()
            # The connection breaks after so many bytes.
            self.wfile.write(content[begin : begin + limit[0]])

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield served, f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """Where downloads land; as empty as the folder of one's own."""
    (tmp_path / "own").mkdir()
    monkeypatch.setenv("NACRITH_CORPORA", str(tmp_path / "own"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "nacrith" / "corpora"


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_fetching(server, monkeypatch, cache, kind):
    served, address = server
    content = b"the content"
    entry = {"size": len(content), "md5": hashlib.md5(content).hexdigest()}
    served["/a"] = archive(kind, {"x.txt": content})
    manifest = {"canterbury": {"address": address + "/a", "files": {"x.txt": entry}}}
    monkeypatch.setattr(corpora, "manifest", lambda: json.loads(json.dumps(manifest)))
    with pytest.raises(corpora.CorpusError, match="not here"):
        corpora.canterbury()
    (path,) = corpora.canterbury(fetch=True)
    assert path == cache / "canterbury" / "x.txt"
    assert path.read_bytes() == content
    assert corpora.canterbury() == [path]


def test_several_folders_of_ones_own(cache, monkeypatch, tmp_path):
    other = tmp_path / "other"
    for folder, name in ((other, "enwik8"), (other, "enwik9"), (tmp_path / "own", "enwik9")):
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(folder.name.encode())
    monkeypatch.setenv("NACRITH_CORPORA", os.pathsep.join(["", str(tmp_path / "own"), str(other)]))
    assert folders() == [tmp_path / "own", other, cache]
    assert corpora.enwik8(5) == b"other"
    assert corpora.prefix_of("enwik9", 3) == b"own"
    monkeypatch.setenv("NACRITH_CORPORA", "")
    assert [path.parts[-2:] for path in folders()[:-1]] == [("shared", "corpora")]


def test_downloads_land_in_the_users_cache(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/a/cache")
    assert fetched_folder() == Path("/a/cache/nacrith/corpora")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/a/home")
    assert fetched_folder() == Path("/a/home/.cache/nacrith/corpora")


def test_a_cache_that_cannot_be_made(monkeypatch, tmp_path):
    monkeypatch.setenv("NACRITH_CORPORA", str(tmp_path))
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(corpora.CorpusError, match="can't make the folder"):
        corpora.canterbury(fetch=True)


def test_a_wrong_checksum_and_a_missing_page(server, monkeypatch, cache):
    served, address = server
    served["/a"] = archive("zip", {"x.txt": b"tampered"})
    entry = {"size": 8, "sha256": "0" * 64}
    manifest = {"canterbury": {"address": address + "/a", "files": {"x.txt": entry}}}
    monkeypatch.setattr(corpora, "manifest", lambda: manifest)
    with pytest.raises(corpora.CorpusError, match="checksum"):
        corpora.canterbury(fetch=True)
    manifest["canterbury"]["address"] = address + "/none"
    with pytest.raises(corpora.CorpusError, match=r"can't fetch .*NACRITH_CORPORA"):
        corpora.canterbury(fetch=True)
    assert list((cache / "canterbury").iterdir()) == []


def test_a_broken_download_goes_on(server, tmp_path):
    served, address = server
    served["/a"] = bytes(range(256)) * 10
    target = tmp_path / "a"
    limit[0] = 400
    with pytest.raises(DownloadError, match="broke 5 times, after 2000 bytes"):
        download(address + "/a", target)
    assert asked == [None, "bytes=400-", "bytes=800-", "bytes=1200-", "bytes=1600-"]
    assert not target.exists()
    download(address + "/a", target)
    assert asked[5:] == ["bytes=2000-", "bytes=2400-"]
    assert target.read_bytes() == served["/a"]
    assert list(tmp_path.iterdir()) == [target]
    # All had come, but the program was ended before it knew.
    target.rename(tmp_path / "a.part")
    download(address + "/a", target)
    assert target.read_bytes() == served["/a"]


def test_an_archive_in_a_folder_of_ones_own(monkeypatch, tmp_path, cache):
    content = b"the content"
    packed = archive("tar.gz", {"x.txt": content})
    (tmp_path / "own" / "a.tar.gz").write_bytes(packed)
    sha256 = hashlib.sha256(packed).hexdigest()
    files = {"x.txt": {"size": len(content)}}
    entry = {"address": "http://127.0.0.1:1/a.tar.gz", "sha256": sha256, "files": files}
    monkeypatch.setattr(corpora, "manifest", lambda: {"calgary": entry})
    (path,) = corpora.files("calgary", fetch=True)
    assert path.read_bytes() == content
    assert (tmp_path / "own" / "a.tar.gz").exists()
    assert path.parent == cache / "calgary"
    path.unlink()
    entry["sha256"] = "0" * 64
    with pytest.raises(corpora.CorpusError, match="checksum"):
        corpora.files("calgary", fetch=True)


def test_every_corpus_can_be_checked():
    manifest = corpora.manifest()
    assert set(manifest) == {"canterbury", "calgary", "enwik8", "enwik9"}
    for entry in manifest.values():
        assert entry["address"].startswith("https://")
        for expected in entry["files"].values():
            assert expected["size"] > 0
            assert "sha256" in entry or {"sha256", "md5"} & set(expected)
