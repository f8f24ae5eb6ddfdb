"""The comparison with other compressors: figures, published results, tables, plots."""

import json
import re
from itertools import combinations

import numpy as np
import pytest

from nacrith.bench import along
from nacrith.bench.compare import bpb, compare, total
from nacrith.bench.compare_report import markdown, print_tables
from nacrith.bench.groups import BINARY, TEXTS, UNSEEN, group_of
from nacrith.bench.labels import Box, place
from nacrith.bench.published import PUBLISHED, best_of_all, best_published, published_for
from nacrith.bench.rivals import Program, programs
from nacrith.bench.texts import corpus_files, longest_text, read_files
from nacrith.errors import FileError, NacrithError
from tests.color_vision import SIMULATED, contrast, distance

HALF = Program("half", lambda data: data[::2] + data[1::2], lambda packed: packed)
FILES = {"alice29.txt": b"aa" * 100, "b": b"bb" * 50}


def interleave(packed: bytes) -> bytes:
    middle = (len(packed) + 1) // 2
    out = bytearray(len(packed))
    out[::2], out[1::2] = packed[:middle], packed[middle:]
    return bytes(out)


SWAP = Program("swap", HALF.compress, interleave)
OURS = Program("nacrith", lambda data: data[:1] * 3, lambda packed: packed[:1] * 100, True)


pytestmark = pytest.mark.usefixtures("empty_store")


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
    assert text.count("### ") == 1 and "### Texts" in text
    print_tables(results)
    assert "nacrith, llama.cpp" in capsys.readouterr().out


def test_wrong_bytes_are_noticed():
    with pytest.raises(AssertionError, match="half"):
        compare({"a": b"abcd"}, [HALF])
    (result,) = compare({"a": b"abcd"}, [HALF], restore=0)
    assert result["decompress_seconds"] is None


def test_published_results_have_a_source_and_are_marked(monkeypatch, capsys):
    assert all(p.source and 0.05 < p.bpb < 4 for p in PUBLISHED)
    assert {p.family for p in published_for("enwik8")} >= {"cmix", "ts_zip", "FineZip"}
    assert [p.family for p in published_for("enwik8-1000000")] == ["cmix"]
    assert published_for("enwik8-2000000") == []
    monkeypatch.setattr("nacrith.bench.compare.ENOUGH_SECONDS", 0)
    results = compare(FILES, [SWAP])
    text = markdown(results, [("plot", "caption")])
    assert "| alice29.txt | 200 | **8.000** |" in text
    # Of a file of which nothing was published there is no column.
    assert "| published by others | alice29.txt | needs besides |" in text
    assert "| paq8px v209 -12RT | 1.489 | weights trained on other texts |" in text
    assert "arXiv:2602.19626" in text and "github.com/hxim/paq8px" in text
    assert "in the training data of every language" in text
    assert "![caption](plot.svg)" in text
    print_tables(results)
    assert "(published)" in capsys.readouterr().out


def test_the_smallest_published_results_of_each_file(canterbury):
    sizes = {name: len(path.read_bytes()) for name, path in canterbury.items()}
    least = {
        "kennedy.xls": (7799, 7926), "ptt5": (19633, 21487), "sum": (6496, 6870),
        "alice29.txt": (28317, 31076), "asyoulik.txt": (28062, 29434),
        "lcet10.txt": (72594, 73365), "plrabn12.txt": (108648, 112263),
    }  # fmt: skip
    for file, expected in least.items():
        found = {p.family: round(p.bpb * sizes[file] / 8) for p in best_published(file)}
        assert (found["paq8px"], found["cmix"]) == expected
    total = {p.program: round(p.bpb * sum(sizes.values()) / 8) for p in best_of_all(sizes)}
    # The sums that their README gives.
    assert total == {"paq8px v209 -12RT": 280_310, "cmix v21, dictionary": 291_395}


def test_what_needs_a_model_says_how_large_it_is(monkeypatch):
    monkeypatch.setattr("nacrith.bench.compare.ENOUGH_SECONDS", 0)
    modelled = Program("nacrith", SWAP.compress, SWAP.decompress, needs=107_000_000)
    text = markdown(compare({"b": b"bb" * 50}, [SWAP, modelled]))
    rows = [line for line in text.splitlines() if line.startswith(("| swap", "| nacrith"))]
    assert [row.rpartition("|")[0].rpartition("|")[2].strip() for row in rows] == ["", "107 MB"]


def test_texts_binary_files_and_texts_never_published_are_apart():
    assert group_of("a", b"text") == TEXTS and group_of("a", b"a\0") == BINARY
    files = corpus_files("unseen") | {"a": b"text", "b": b"\0" * 100}
    assert [group_of(name, data) for name, data in files.items()] == 6 * [UNSEEN] + [TEXTS, BINARY]
    text = markdown(compare(files, [Program("as it is", bytes, bytes)], restore=0))
    places = [text.index(f"### {name}") for name in ("Texts\n", "Texts never", "Binary files")]
    assert places == sorted(places)
    assert "| b | 100 |" in text[places[2] :] and "| letter.txt | " in text[places[1] : places[2]]


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


@pytest.fixture
def results(monkeypatch):
    """Of two programs, one of them ours, with a text and binary data."""
    monkeypatch.setattr("nacrith.bench.compare.ENOUGH_SECONDS", 0)
    ours = Program("nacrith", SWAP.compress, SWAP.decompress, True, needs=1)
    return compare(FILES | {"c": b"\0" * 100}, [SWAP, ours])


def test_plots_are_written_and_repeat(tmp_path, results):
    pytest.importorskip("matplotlib")
    from nacrith.bench.compare_report import write_all

    runs = [
        {"file": "a", "backend": backend, "window": 1024, "tokens": [64.0, 2000.0],
         "model": [3.0, 4.0], "coded": [2.0, 3.0]}
        for backend in ("exact", "llama.cpp")
    ]  # fmt: skip
    for folder in ("one", "two"):
        write_all(tmp_path / folder, results, runs)
    names = {path.name for path in (tmp_path / "one").iterdir()}
    plots = {
        f"{plot}.{kind}"
        for plot in ("bpb", "bpb-texts", "bpb-binary-files", "speed-texts", "speed-binary-files",
                     "along")
        for kind in ("svg", "png")
    }  # fmt: skip
    assert names == plots | {"compare.json", "compare.md"}
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    document = json.loads((tmp_path / "one" / "compare.json").read_text("utf-8"))
    assert len(document["measured"]) == 6 and document["published"]
    for path in (tmp_path / "one").glob("*.svg"):
        # As wide as a column of README.md, in points.
        (width,) = re.findall(r'<svg [^>]*?width="([\d.]+)pt"', path.read_text("utf-8"))
        assert 820 < float(width) * 96 / 72 < 835


def test_names_in_a_plot_are_clear_of_each_other_and_of_lines():
    random = np.random.default_rng(0)
    for _ in range(20):
        points = [tuple(p) for p in random.uniform(100, 700, (10, 2)).tolist()]
        lines = [Box(x, y - 1, x + 80, y + 1) for x, y in points]
        found = place(points, [(70.0, 10.0)] * 10, lines, Box(0, 0, 800, 800))
        for i, box in enumerate(found):
            others = [*lines, *found[:i]]
            assert not any(box.overlaps(other) for other in others)
            assert box.left >= 0 and box.right <= 800 and box.bottom >= 0 and box.top <= 800


def test_speed_is_drawn_on_named_axes_without_struck_names(tmp_path, results, monkeypatch):
    pytest.importorskip("matplotlib")
    from nacrith.bench import plots

    kept = []
    monkeypatch.setattr(plots, "_save", lambda figure, *rest: kept.append(figure))
    programs = [f"program {i}" for i in range(9)]
    crowd = [
        {**results[0], "program": p, "compress_seconds": 1e-3 * 1.1**i, "decompress_seconds": 1e-3,
         "compressed": 100 + i}
        for i, p in enumerate(programs)
    ]  # fmt: skip
    plots.plot_speed(crowd, TEXTS, tmp_path)
    (figure,) = kept
    (axes,) = figure.axes
    assert "logarithmic" in axes.get_xlabel() and "logarithmic" in axes.get_ylabel()
    renderer = figure.canvas.get_renderer()
    boxes = [Box(*t.get_window_extent(renderer).extents) for t in axes.texts]
    assert [t.get_text() for t in axes.texts] == programs
    points = [axes.transData.transform(c.get_offsets()[0]) for c in axes.collections]
    marks = [Box(x - 3, y - 3, x + 3, y + 3) for x, y in points]
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in [*boxes[:i], *marks])


def test_colours_of_the_plots_can_be_told_apart():
    from nacrith.bench.palette import GRID, OTHERS, OURS, PUBLISHED, TEXT

    colours = (OURS, OTHERS, PUBLISHED)
    for vision in SIMULATED:
        for one, other in combinations(colours, 2):
            assert distance(one, other, vision) > 20, (vision, one, other)
    assert all(contrast(colour, "#fff") > 3 for colour in colours)
    assert contrast(TEXT, "#fff") > 10 and contrast(GRID, "#fff") < 1.5


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
