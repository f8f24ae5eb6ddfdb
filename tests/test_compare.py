"""The comparison with other compressors: figures, published results, tables, plots."""

import json

import pytest

from nacrith.bench import along, store
from nacrith.bench.compare import bpb, compare, total
from nacrith.bench.compare_report import markdown, print_tables
from nacrith.bench.published import PUBLISHED, published_for
from nacrith.bench.rivals import Program, programs
from nacrith.bench.texts import corpus_files, longest_text, read_files
from nacrith.errors import FileError, NacrithError

HALF = Program("half", lambda data: data[::2] + data[1::2], lambda packed: packed)
FILES = {"alice29.txt": b"aa" * 100, "b": b"bb" * 50}


def interleave(packed: bytes) -> bytes:
    middle = (len(packed) + 1) // 2
    out = bytearray(len(packed))
    out[::2], out[1::2] = packed[:middle], packed[middle:]
    return bytes(out)


SWAP = Program("swap", HALF.compress, interleave)
OURS = Program("nacrith", lambda data: data[:1] * 3, lambda packed: packed[:1] * 100, True)


@pytest.fixture(autouse=True)
def empty_store(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "FOLDER", tmp_path / "kept")


def test_results_and_their_sum(monkeypatch):
    monkeypatch.setattr("nacrith.bench.compare.ENOUGH_SECONDS", 0)
    told = []
    results = compare(FILES, [SWAP], tell=lambda file, program: told.append((file, program)))
    assert told == [("alice29.txt", "swap"), ("b", "swap")]
    assert [r["compressed"] for r in results] == [200, 100]
    assert all(r["compress_seconds"] > 0 and r["decompress_seconds"] > 0 for r in results)
    assert bpb(results[0]) == 8
    assert total(results, "swap")["size"] == 300


def test_a_cut_run_goes_on(monkeypatch):
    monkeypatch.setattr("nacrith.bench.compare.ENOUGH_SECONDS", 0)
    first = compare({"b": FILES["b"]}, [SWAP])
    broken = Program("swap", None, None)  # type: ignore[arg-type]
    assert compare({"b": FILES["b"]}, [broken]) == first


def test_ours_take_large_files_in_blocks(monkeypatch):
    monkeypatch.setattr("nacrith.bench.compare.BLOCK", 100)
    monkeypatch.setattr("nacrith.bench.compare.WARM_UP", b"w" * 100)
    (result,) = compare({"a": b"a" * 100 + b"b" * 100}, [OURS])
    assert (result["size"], result["compressed"]) == (200, 6)


def test_ours_restore_only_the_start_of_large_files(monkeypatch):
    monkeypatch.setattr("nacrith.bench.compare.WARM_UP", b"w")
    started, restored = [], []

    def compress_start(data, size):
        started.append((len(data), size))
        return data

    def decompress(packed):
        restored.append(len(packed))
        return packed

    ours = Program("nacrith", bytes, decompress, True, compress_start)
    results = compare({"a": b"a" * 90, "b": b"b" * 50}, [ours], restore=60)
    assert started == [(60, 90)] and restored == [1, 60, 50]
    assert [r["compressed"] for r in results] == [90, 50]
    assert "the first 60 bytes" in markdown(results, restore=60)


def test_llama_cpp_can_leave_large_files_out(monkeypatch, capsys):
    monkeypatch.setattr("nacrith.bench.compare.ENOUGH_SECONDS", 0)
    slow = Program("nacrith, llama.cpp", SWAP.compress, SWAP.decompress)
    results = compare(FILES, [SWAP, slow], llama_cpp=100)
    assert [(r["file"], r["program"]) for r in results] == [
        ("alice29.txt", "swap"), ("b", "swap"), ("b", "nacrith, llama.cpp")
    ]  # fmt: skip
    text = markdown(results)
    assert "| alice29.txt | 200 | **8.000** | - |" in text
    assert "| nacrith, llama.cpp | - | - | - |" in text
    print_tables(results)
    assert "nacrith, llama.cpp" in capsys.readouterr().out


def test_wrong_bytes_are_noticed():
    with pytest.raises(AssertionError, match="half"):
        compare({"a": b"abcd"}, [HALF])
    (result,) = compare({"a": b"abcd"}, [HALF], restore=0)
    assert result["decompress_seconds"] is None


def test_published_results_have_a_source_and_are_marked(monkeypatch, capsys):
    assert all(p.source and 0.5 < p.bpb < 4 for p in PUBLISHED)
    assert {p.program for p in published_for("enwik8")} >= {"cmix v21", "ts_zip", "FineZip"}
    assert [p.program for p in published_for("enwik8-1000000")] == ["cmix v21"]
    assert published_for("enwik8-2000000") == []
    monkeypatch.setattr("nacrith.bench.compare.ENOUGH_SECONDS", 0)
    results = compare(FILES, [SWAP])
    text = markdown(results, [("plot", "caption")])
    assert "| alice29.txt | 200 | **8.000** |" in text
    assert "| cmix v21 (published) |" in text and "arXiv:2602.19626" in text
    assert "![caption](plot.svg)" in text
    print_tables(results)
    assert "(published)" in capsys.readouterr().out


def test_the_real_programs_restore(monkeypatch):
    pytest.importorskip("pyppmd")
    monkeypatch.setattr("nacrith.bench.compare.ENOUGH_SECONDS", 0)
    others = [program for program in programs() if not program.is_ours]
    results = compare({"a": b"a text that repeats, " * 50}, others)
    assert len(results) == 6 and all(r["compressed"] < 150 for r in results)


def test_missing_packages_are_named(monkeypatch):
    monkeypatch.setattr("nacrith.bench.rivals.find_spec", lambda name: None)
    with pytest.raises(NacrithError, match=r"brotli.*env-test"):
        programs()


def test_plots_are_written_and_repeat(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    from nacrith.bench.compare_report import write_all

    monkeypatch.setattr("nacrith.bench.compare.ENOUGH_SECONDS", 0)
    results = compare(FILES, [SWAP])
    runs = [
        {"file": "a", "backend": backend, "window": 1024, "tokens": [64.0, 2000.0],
         "model": [3.0, 4.0], "coded": [2.0, 3.0]}
        for backend in ("exact", "llama.cpp")
    ]  # fmt: skip
    for folder in ("one", "two"):
        write_all(tmp_path / folder, results, runs)
    names = {path.name for path in (tmp_path / "one").iterdir()}
    plots = {
        f"{plot}.{kind}" for plot in ("ratio-speed", "bpb", "along") for kind in ("svg", "png")
    }
    assert names == plots | {"compare.json", "compare.md"}
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    document = json.loads((tmp_path / "one" / "compare.json").read_text("utf-8"))
    assert len(document["measured"]) == 2 and document["published"]


def test_bits_along_a_text(tiny_gguf, monkeypatch):
    monkeypatch.setattr("nacrith.models.catalog.embedded_path", lambda: tiny_gguf)
    monkeypatch.setattr(along, "MEAN_OVER_TOKENS", 16)
    run = along.measure_along("a", b"the king and the thing of " * 20, "exact")
    assert run["tokens"][:2] == [8.0, 24.0]
    assert len(run["tokens"]) == len(run["coded"]) == len(run["model"]) > 5
    assert run["coded"][-1] < run["coded"][0]


def test_texts_are_found_and_cut(tmp_path, canterbury):
    (tmp_path / "a").write_bytes("é".encode() * 30_000)
    (tmp_path / "b").write_bytes(b"\0" * 100_000)
    files = read_files([tmp_path / "a", tmp_path / "b"])
    assert longest_text(files) == ("a", files["a"][:40_000])
    assert longest_text({"b": files["b"]}) is None
    assert read_files([tmp_path / "a"], 10) == {"a-10": files["a"][:10]}
    with pytest.raises(FileError, match="can't read"):
        read_files([tmp_path / "none"])
    assert len(corpus_files("canterbury")) == 11
    assert list(corpus_files("enwik8", 100)) == ["enwik8-100"]
