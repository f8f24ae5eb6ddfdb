"""The manifest against the files, and fetching from a local server."""

import hashlib
import http.server
import io
import json
import tarfile
import threading
import zipfile

import pytest

import corpora


def test_the_files_here_are_the_ones_of_the_manifest(canterbury):
    files = corpora.manifest()["canterbury"]["files"]
    assert len(files) == len(canterbury) == 11
    assert all(corpora.verify(canterbury[name], entry) for name, entry in files.items())


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


@pytest.fixture
def server():
    served: dict[str, bytes] = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            content = served.get(self.path)
            self.send_response(200 if content else 404)
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield served, f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_fetching(server, monkeypatch, tmp_path, kind):
    served, address = server
    content = b"the content"
    entry = {"size": len(content), "md5": hashlib.md5(content).hexdigest()}
    served["/a"] = archive(kind, {"x.txt": content})
    manifest = {"canterbury": {"address": address + "/a", "files": {"x.txt": entry}}}
    monkeypatch.setattr(corpora, "manifest", lambda: json.loads(json.dumps(manifest)))
    monkeypatch.setattr(corpora, "FETCHED", tmp_path)
    monkeypatch.setenv("NACRITH_CORPORA", str(tmp_path))
    with pytest.raises(corpora.CorpusError, match="not here"):
        corpora.canterbury()
    (path,) = corpora.canterbury(fetch=True)
    assert path.read_bytes() == content
    assert corpora.canterbury() == [path]


def test_a_wrong_checksum_and_a_missing_page(server, monkeypatch, tmp_path):
    served, address = server
    served["/a"] = archive("zip", {"x.txt": b"tampered"})
    entry = {"size": 8, "sha256": "0" * 64}
    manifest = {"canterbury": {"address": address + "/a", "files": {"x.txt": entry}}}
    monkeypatch.setattr(corpora, "manifest", lambda: manifest)
    monkeypatch.setattr(corpora, "FETCHED", tmp_path)
    monkeypatch.setenv("NACRITH_CORPORA", str(tmp_path))
    with pytest.raises(corpora.CorpusError, match="checksum"):
        corpora.canterbury(fetch=True)
    manifest["canterbury"]["address"] = address + "/none"
    with pytest.raises(corpora.CorpusError, match="can't fetch"):
        corpora.canterbury(fetch=True)
    assert list((tmp_path / "canterbury").iterdir()) == []
