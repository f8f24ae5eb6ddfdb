"""Options that make no sense are wrong usage, before anything is read or written."""

import pytest

# What no number of the command line is.
NUMBERS = ["-1", "2147483648", "9223372036854775808", "1" * 400, "4K", "٣", "1_0", " 5", "1.5", ""]
COUNTS = [
    ("compress", "--streams"), ("compress", "--window"), ("compress", "--threads"),
    ("compress", "--workers"), ("decompress", "--workers"), ("test", "--workers"),
    ("bench corpus canterbury", "--bytes"), ("bench corpus canterbury", "--streams"),
    ("bench corpus canterbury", "--window"), ("bench workers", "--bytes"),
    ("bench workers", "--rounds"), ("bench compare x", "--bytes"), ("bench compare x", "--streams"),
    ("bench compare x", "--restore"), ("bench compare x", "--llama-cpp"),
]  # fmt: skip


@pytest.fixture
def usage_of(run_main, monkeypatch, tmp_path):
    """`run_main` in a folder with one file, which stays as it is."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x").write_bytes(b"a text that is not empty")
    yield run_main
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize(("command", "option"), COUNTS, ids=" ".join)
def test_numbers(usage_of, command, option):
    for number in NUMBERS:
        code, message = usage_of(*command.split(), f"{option}={number}")
        assert code == 2 and f"'{option}'" in message, number


@pytest.mark.parametrize(
    "size", ["0", "-1", "64.5M", "65M", "9223372036854775808", "1" * 400, "4X", "٣", "1_0", "", "K"]
)
def test_sizes(usage_of, size):
    code, message = usage_of("compress", f"--block-size={size}", "x")
    assert code == 2 and "'--block-size'" in message


@pytest.mark.parametrize(
    "wanted", ["", "7", "7:3", "-1:5", "1:-5", "a:b", "1:99999999999999999999", "٣:٤", "1:2:3"]
)
def test_ranges(usage_of, wanted):
    code, message = usage_of("decompress", f"--range={wanted}", "x.nc")
    assert code == 2 and "'--range'" in message


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["compress", "--window=1000", "x"], "multiple of 256"),
        (["compress", "--window=131072", "--streams=200", "x"], "fewer --streams"),
        (["compress", "--fast", "--best", "x"], "exclude each other"),
        (["explain", "--fast", "--best", "x"], "exclude each other"),
        (["compress", "-2", "-7", "x"], "-2 and -7 exclude each other"),
        (["explain", "-3", "x"], "there is no model"),
        (["compress", ""], "empty"),
        (["compress", "--memlimit", "much", "x"], "amount of memory"),
        (["compress", "--memlimit", "1G", "--cluster", "tcp://h:1", "x"], "exclude each other"),
        (["compress", "-o", "", "x"], "empty"),
        (["compress", "--model", "", "x"], "empty"),
        (["explain", ""], "empty"),
        (["compress", "--backend", "cuda", "x"], "llama.cpp-gpu"),
        (["compress", "\x1b[31m", "-o", "a", "b"], "-o takes one FILE"),
        (["--nonsense\x1b[31m"], "No such option"),
    ],
)
def test_what_does_not_go_together(usage_of, arguments, words):
    code, message = usage_of(*arguments)
    assert code == 2 and words in message
    assert "\x1b" not in message


def test_every_backend_can_be_asked_for(usage_of):
    from nacrith.backends import BACKENDS

    for name in BACKENDS:
        # Refused for the file that is missing, not for the option.
        code, message = usage_of("compress", "--backend", name, "missing")
        assert (code, "can't read missing" in message) == (1, True)
