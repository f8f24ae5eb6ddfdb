"""The numbers in files are literals of the format; what they stand for agrees with them."""

import subprocess
import sys
from dataclasses import fields

import pytest

from nacrith import backends
from nacrith.format import header, numerics, parameters
from nacrith.format.numerics import NumericsRecord
from nacrith.format.parameters import Parameters
from nacrith.format.varint import Reader
from nacrith.transforms.prompts import PROMPTS
from predictors.heads.neighbors import MAX_STATES
from predictors.language_models.numerics import FEATURES, MACHINES, Numerics
from predictors.mixing.contexts import ALL_KINDS
from tests.conftest import ROOT


def test_the_predictors_agree_with_the_format():
    assert Parameters().contexts == parameters.MAX_CONTEXTS == ALL_KINDS
    assert len(PROMPTS) - 1 == parameters.MAX_PROMPT
    assert parameters.MAX_NEIGHBORS == MAX_STATES
    assert set(FEATURES) <= set(numerics.FEATURES.values())
    assert set(MACHINES) <= set(numerics.MACHINES.values())
    assert [f.name for f in fields(Numerics)] == [f.name for f in fields(NumericsRecord)]


def test_every_parameter_has_one_bit():
    assert sorted(parameters.BITS.values()) == sorted(f.name for f in fields(Parameters))
    for numbers in (parameters.BITS, numerics.FEATURES):
        assert list(numbers) == list(range(len(numbers)))
    assert backends.NUMBERS == {1: "llama.cpp", 2: "exact", 3: "transformers"}
    for numbers in (numerics.FEATURES, numerics.MACHINES):
        assert len(set(numbers.values())) == len(numbers)


def test_the_bytes_of_a_header_that_names_a_machine():
    record = NumericsRecord(
        "llama.cpp", "1.2", "aarch64", frozenset({"NEON", "CUDA"}), 3, "gpu_layers=999"
    )
    model = header.ModelRecord("m", "ab" * 32, record, 0x01020304)
    given = header.Header(model, Parameters(window=512, neighbors=0), header.Metadata(0o644, 300))
    expected = (
        "07"  # model, metadata, parameters
        f"00 016d {'ab' * 32} 01 03312e32 02"  # name, hash, backend, version, machine
        "80c0808002 03 0e6770755f6c61796572733d393939 04030201"  # features ... probe
        "41 8004 00"  # window and neighbors
        "a403 ac02"  # mode and time
    )
    assert given.to_bytes() == bytes.fromhex(expected)
    assert header.Header.read(Reader(given.to_bytes(), "header")) == (given, False)


def modules_of(code, *arguments):
    """What is imported when `code` has run in a process of its own."""
    code = f"import sys\nsys.argv = ['nacrith', *sys.argv[1:]]\n{code}\nprint(*sys.modules)"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return set(result.stdout.splitlines()[-1].split())


HEAVY = {"numba", "numpy", "llama_cpp", "torch"}
MAIN = """from nacrith.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code, end"""


@pytest.mark.parametrize("command", [["--help"], ["info"], ["test", "--quick"], ["compress", "-h"]])
def test_what_needs_no_model_imports_none(tmp_path, command):
    import nacrith

    (tmp_path / "a.nc").write_bytes(nacrith.compress(b"x"))
    files = [] if command[-1].startswith(("-h", "--h")) else [tmp_path / "a.nc"]
    found = modules_of(MAIN, *command, *files)
    assert "nacrith.format.container" in found
    assert not found & {*HEAVY, "predictors", "coder", "rich", "psutil"}


def test_the_format_imports_no_predictor():
    found = modules_of("import nacrith.format.container, nacrith.format.description")
    assert not found & {*HEAVY, "predictors", "coder"}
