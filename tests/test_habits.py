"""What users of gzip, xz and zstd type, and what it does here.

Each row says how the others spell it, what is typed here, and which files are there afterwards
or what is shown. `a` is a file that is not compressed, `b.nc` one that is.
"""

import gzip
import random
from pathlib import Path

import pytest

from nacrith import compress
from nacrith.cli.short_form import command_arguments
from tests.conftest import ROOT, assert_fails

NOISE = random.Random(3).randbytes(500)
OTHER = NOISE[::-1]
START = {"a", "b.nc"}

FILES = [
    # (habit, gzip, xz, zstd, ours, names that are new)
    ("compress", "gzip -k a", "xz -k a", "zstd a", "a", {"a.nc"}),
    ("said openly", "", "xz -zk a", "zstd -z a", "-z a", {"a.nc"}),
    ("restore", "gunzip -k", "unxz -k b.xz", "zstd -d b.zst", "-d b.nc", {"b"}),
    ("long name", "gzip --decompress", "xz --decompress", "zstd --decompress",
     "--decompress b.nc", {"b"}),
    ("older name", "gzip --uncompress", "xz --uncompress", "zstd --uncompress",
     "--uncompress b.nc", {"b"}),
    ("options behind the file", "gzip b.gz -dk", "xz b.xz -dk", "zstd b.zst -d", "b.nc -d", {"b"}),
    ("cluster", "gzip -dkf b.gz", "xz -dkf b.xz", "zstd -dkf b.zst", "-dkf b.nc", {"b"}),
    ("fast", "gzip -1k a", "xz -1k a", "zstd -1 a", "-1 a", {"a.nc"}),
    ("fast by name", "gzip --fast -k a", "xz --fast -k a", "zstd --fast a", "--fast a", {"a.nc"}),
    ("small", "gzip -9k a", "xz -9k a", "zstd -19 a", "-9 a", {"a.nc"}),
    ("smaller", "", "xz -9ek a", "zstd --ultra -22 a", "-9e a", {"a.nc"}),
    ("small by name", "gzip --best -k a", "xz --best -k a", "", "--best a", {"a.nc"}),
    ("a level when restoring", "gzip -9dk b.gz", "xz -9dk b.xz", "", "-9d b.nc", {"b"}),
    ("keep", "gzip -k a", "xz -k a", "zstd -k a", "-k a", {"a.nc"}),
    ("verbose", "gzip -vk a", "xz -vk a", "zstd -v a", "-v a", {"a.nc"}),
    ("quiet", "gzip -qk a", "xz -qk a", "zstd -q a", "-q a", {"a.nc"}),
    ("output", "gzip -c a > x", "xz -c a > x", "zstd a -o x", "a -o x", {"x"}),
    ("output, joined", "", "", "zstd -ox a", "-ox a", {"x"}),
    ("ending", "gzip -k -S .z a", "xz -k -S .z a", "", "-S .z a", {"a.z"}),
    ("all processors", "", "xz -k -T0 a", "zstd -T0 a", "-T0 a", {"a.nc"}),
    ("threads", "", "xz -k --threads=2 a", "zstd --threads=2 a", "--threads=2 a", {"a.nc"}),
    ("threads when restoring", "", "xz -dk -T 2 b.xz", "zstd -d -T2 b.zst", "-d -T 2 b.nc", {"b"}),
    ("memory", "", "xz -k --memlimit=4G a", "", "--memlimit=4G a", {"a.nc"}),
    ("memory when restoring", "", "xz -dk -M 4G b.xz", "zstd -d -M4GB b.zst", "-d -M 4G b.nc",
     {"b"}),
    ("far repeats", "", "", "zstd --long a", "--long a", {"a.nc"}),
    ("no progress", "", "", "zstd --no-progress a", "--no-progress a", {"a.nc"}),
    ("with the name", "gzip -Nk a", "", "", "-N a", {"a.nc"}),
    ("without", "gzip -nk a", "", "", "-n a", {"a.nc"}),
    ("into a folder", "", "", "zstd --output-dir-flat d a", "--output-dir-flat d a",
     {"d", "d/a.nc"}),
    ("with its folders", "", "", "zstd --output-dir-mirror d ./a", "--output-dir-mirror d ./a",
     {"d", "d/a.nc"}),
    ("names in a list", "", "xz -k --files=names", "zstd --filelist names", "--filelist a.list",
     {"a.nc"}),
    ("names that look like options", "gzip -k -- a", "xz -k -- a", "zstd -- a", "-- a", {"a.nc"}),
    ("test", "gzip -t b.gz", "xz -t b.xz", "zstd -t b.zst", "-t b.nc", set()),
    ("test, told of", "gzip -tv b.gz", "xz -tv b.xz", "zstd -tv b.zst", "-tv b.nc", set()),
    ("keep, when testing", "gzip -tk b.gz", "xz -tk b.xz", "zstd -tk b.zst", "-tk b.nc", set()),
    ("list", "gzip -l b.gz", "xz -l b.xz", "zstd -l b.zst", "-l b.nc", set()),
    ("list, with what has no meaning for it", "", "xz -lT2 b.xz", "zstd -l -T2 b.zst",
     "-l -T2 b.nc", set()),
    ("list, told more", "gzip -lv b.gz", "xz -lv b.xz", "zstd -lv b.zst", "-lv b.nc", set()),
]  # fmt: skip
REMOVING = [
    ("remove", "gzip a", "xz a", "zstd --rm a", "--rm a", {"a.nc", "b.nc"}),
    ("restore and remove", "gzip -d b.gz", "xz -d b.xz", "zstd -d --rm b.zst", "-d --rm b.nc",
     {"a", "b"}),
]  # fmt: skip
SHOWN = [
    ("to a pipe", "gzip -dc b.gz", "xz -dc b.xz", "zstd -dc b.zst", "-dc b.nc", OTHER),
    ("to a pipe, long name", "gzip --to-stdout -d b.gz", "xz --to-stdout -d b.xz", "",
     "--to-stdout -d b.nc", OTHER),
    ("by a command", "zcat b.gz", "xzcat b.xz", "zstdcat b.zst", "cat b.nc", OTHER),
    ("version", "gzip -V", "xz -V", "zstd -V", "-V", b"version"),
    ("version, long", "gzip --version", "xz --version", "zstd --version", "--version", b"version"),
    ("help", "gzip -h", "xz -h", "zstd -h", "-h", b"Usage"),
    ("list", "gzip -l b.gz", "xz -l b.xz", "zstd -l b.zst", "-l b.nc", b"ratio"),
]  # fmt: skip
WRONG = [
    "-d -t b.nc", "-z -d b.nc", "--long --block-size 1M a", "-e --streams 4 a", "-3 -4 a",
    "-c -o x a", "--output-dir-flat d -c a", "-q test b.nc", "-S / a", "-T many a",
    "-t -o x b.nc", "-l --rm b.nc",
]  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with `a` and `b.nc`, which is the current one."""
    monkeypatch.chdir(tmp_path)
    Path("a").write_bytes(NOISE)
    Path("b.nc").write_bytes(compress(OTHER))
    return tmp_path


def names(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_the_table_of_the_documentation():
    text = (ROOT / "docs" / "habits.md").read_text("utf-8")
    lines = [
        "| " + " | ".join([row[0], *(f"`{cell}`" if cell else "" for cell in row[1:4])])
        + f" | `nacrith {row[4]}` |"
        for row in FILES + REMOVING + SHOWN
    ]  # fmt: skip
    assert [line for line in text.splitlines() if line.startswith("| ")][2:] == lines


@pytest.mark.parametrize("row", FILES, ids=lambda row: row[4])
def test_files(folder, run_main, row):
    *_, ours, new = row
    if "a.list" in ours:
        Path("a.list").write_text("a\n\n")
    before = names(folder)
    code, message = run_main(*ours.split())
    assert code == 0, message
    assert names(folder) == before | new
    for name in new & {"b"}:
        assert Path(name).read_bytes() == OTHER
    packed = [name for name in new - {"b", "d"} if Path(name).suffix in (".nc", ".z", "")]
    for name in packed:
        assert run_main("-d", "-o", "again", name, *(["-S", ".z"] if ".z" in name else []))[0] == 0
        assert Path("again").read_bytes() == NOISE


@pytest.mark.parametrize("row", REMOVING, ids=lambda row: row[4])
def test_files_that_are_replaced(folder, run_main, row):
    *_, ours, left = row
    assert run_main(*ours.split()) == (0, "")
    assert names(folder) == left


@pytest.mark.parametrize("row", SHOWN, ids=lambda row: row[4])
def test_what_is_shown(nacrith, tmp_path, row):
    *_, ours, expected = row
    (tmp_path / "b.nc").write_bytes(compress(OTHER))
    result = nacrith(*ours.split())
    assert result.returncode == 0 and expected in result.stdout, result.stderr
    assert names(tmp_path) == {"b.nc"}


@pytest.mark.parametrize("line", WRONG)
def test_what_excludes_itself(folder, run_main, line):
    code, message = run_main(*line.split())
    assert code == 2 and "Usage" in message
    assert names(folder) == START


def test_what_is_not_compressed_is_copied_if_forced(nacrith, tmp_path):
    (tmp_path / "a").write_bytes(OTHER)
    (tmp_path / "b.nc").write_bytes(compress(NOISE))
    assert nacrith("-dcf", "a", "b.nc", "a").stdout == OTHER + NOISE + OTHER
    for plain in (OTHER, b"", b"N", b"NC07"):
        result = nacrith("-dcf", stdin=plain)
        # What could be the beginning of a file is a damaged one.
        expected = b"" if plain == b"N" else plain
        assert (result.stdout, result.returncode) == (expected, int(plain == b"N"))
    assert nacrith("cat", "-f", "a").stdout == OTHER
    for refused in (
        ["-dc", "a"],
        ["-dcf", "--range", "2:5", "a"],
        ["-df", "--range", "2:5", "a"],
        ["-df", "a"],
        ["-df", "-o", "x", "a"],
    ):
        assert_fails(nacrith(*refused), 1, "a")
    assert not (tmp_path / "x").exists()
    # -c may be said of a range too.
    assert nacrith("-dc", "--range", "2:5", "b.nc").stdout == NOISE[2:5]
    assert names(tmp_path) == {"a", "b.nc"}


def test_a_filter(nacrith):
    for packing in ([], ["-c"], ["-1"], ["-"], ["compress"]):
        packed = nacrith(*packing, stdin=NOISE).stdout
        for restoring in (["-d"], ["-dc"], ["-d", "-"], ["decompress"], ["cat"]):
            assert nacrith(*restoring, stdin=packed).stdout == NOISE, (packing, restoring)


@pytest.mark.parametrize(
    ("program", "given", "meant"),
    [
        ("unnacrith", ["x.nc"], ["decompress", "x.nc"]),
        ("unnacrith", [], ["decompress"]),
        ("unnacrith", ["-t", "x.nc"], ["test", "x.nc"]),
        ("unnacrith", ["test"], ["decompress", "test"]),
        ("nacat", ["x.nc"], ["decompress", "-c", "x.nc"]),
        ("nacat", ["-l", "x.nc"], ["list", "x.nc"]),
        ("nacrith", ["-o", "-d", "x"], ["compress", "-o", "-d", "x"]),
        ("nacrith", ["-D", "dict", "-dq"], ["decompress", "-D", "dict", "-q"]),
        ("nacrith", ["--model=-d", "x"], ["compress", "--model=-d", "x"]),
        ("nacrith", ["--", "-d"], ["compress", "--", "-d"]),
        ("nacrith", ["-dc8", "-T2"], ["decompress", "-c", "-T", "2"]),
        ("nacrith", ["--no-progress", "-Dd", "--model=m", "-l", "x"], ["list", "x"]),
        ("nacrith", ["--workers", "2", "--device", "cpu", "x", "-l"], ["list", "x"]),
    ],
)
def test_programs_and_values(program, given, meant):
    from nacrith.cli import cli

    assert command_arguments(cli, given, program) == meant


def test_a_name_of_a_command_that_is_a_file(folder, run_main):
    Path("test").write_bytes(NOISE)
    assert run_main("-q", "test")[0] == 0
    assert Path("test.nc").exists()
    code, message = run_main("nonsense")
    assert code == 1 and "nonsense" in message


def test_an_output_that_is_a_folder(folder, run_main):
    Path("there").mkdir()
    Path("c").write_bytes(OTHER)
    assert run_main("a", "c", "-o", "there")[0] == 0
    assert names(folder / "there") == {"a.nc", "c.nc"}
    code, message = run_main("a", "-o", "missing/")
    assert code == 1 and "no folder missing/" in message
    code, message = run_main("a", "-o", "missing/x")
    assert code == 1 and "there is no folder missing; make it first" in message


def test_folders_of_outputs(folder, run_main):
    for place in ("one", "two"):
        Path(place).mkdir()
        Path(place, "c").write_bytes(place.encode() * 90)
    assert run_main("-r", "one", "two", "--output-dir-mirror", "m")[0] == 0
    assert names(folder / "m") == {"one", "one/c.nc", "two", "two/c.nc"}
    code, message = run_main("-rf", "one", "two", "--output-dir-flat", "f")
    assert code == 1 and "has been written already" in message
    assert names(folder / "f") == {"c.nc"}
    Path("f/c.nc").unlink()
    assert run_main("-d", "m/one/c.nc", "--output-dir-flat", "f")[0] == 0
    assert Path("f/c").read_bytes() == b"one" * 90
    code, message = run_main("--output-dir-mirror", "m", "../" + folder.name + "/a")
    assert code == 1 and "upwards" in message


def test_what_is_left_out(folder, run_main):
    for name in ("d/x.txt", "d/x.png", "d/.git/y.txt"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(NOISE)
    Path("patterns").write_text(".git\n")
    assert run_main("-r", "d", "--exclude", "*.png", "--exclude-from", "patterns")[0] == 0
    assert {path.name for path in Path("d").rglob("*.nc")} == {"x.txt.nc"}
    code, message = run_main("-r", "d", "--exclude-from", "none")
    assert code == 1 and "can't read the list none" in message


def test_a_list_of_names(folder, run_main):
    Path("two\nlines").write_bytes(NOISE)
    Path("list").write_bytes(b"a\0two\nlines\0")
    assert run_main("--filelist", "list")[0] == 0
    assert Path("two\nlines.nc").exists() and Path("a.nc").exists()
    Path("empty").write_bytes(b"")
    assert run_main("--filelist", "empty") == (0, "")


def test_the_variable_for_the_level(folder, run_main, monkeypatch):
    Path("text").write_bytes(gzip.__doc__.encode() * 20)
    for level in (1, 2):
        monkeypatch.setenv("NACRITH_LEVEL", str(level))
        assert run_main("-f", "text", "-o", f"by{level}")[0] == 0
        assert run_main("-f", f"-{level}", "text", "-o", "same")[0] == 0
        assert Path(f"by{level}").read_bytes() == Path("same").read_bytes()
    assert Path("by1").read_bytes() != Path("by2").read_bytes()
    monkeypatch.setenv("NACRITH_LEVEL", "12")
    code, message = run_main("text")
    assert code == 1 and "NACRITH_LEVEL" in message


def test_a_list_of_files(nacrith, tmp_path):
    for name in ("b.nc", "c.nc"):
        (tmp_path / name).write_bytes(compress(OTHER))
    (tmp_path / "bad.nc").write_bytes(b"NC06 and no more")
    result = nacrith("-l", "b.nc", "bad.nc", "c.nc")
    head, b, _, total = result.stdout.decode().splitlines()
    assert result.returncode == 1 and b"bad.nc" in result.stderr
    assert head.split()[1:3] == ["compressed", "original"]
    size = (tmp_path / "b.nc").stat().st_size
    assert b.split()[:3] == ["1", str(size), "500"] and b.endswith("b.nc")
    assert total.split()[:3] == ["2", str(2 * size), "1000"] and "2 files" in total
    (line,) = nacrith("list", "--json", "c.nc").stdout.decode().splitlines()
    assert '"original": 500' in line
