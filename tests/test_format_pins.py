"""The numbers in files are literals of the format; what they stand for agrees with them."""

import subprocess
import sys
from dataclasses import fields

import pytest

from nacrith import backends
from nacrith.errors import FormatError, UnsupportedError
from nacrith.format import frame, header, numerics, parameters
from nacrith.format.numerics import NumericsRecord
from nacrith.format.parameters import Parameters
from nacrith.format.varint import Reader
from nacrith.models import corrections
from nacrith.transforms.deflate.adaptive_numbers import NUMBER
from nacrith.transforms.deflate.effort import GREEDY, LAZY, LEVELS, LITERALS, RUNS, Effort
from nacrith.transforms.deflate.inflate import most_blocks
from nacrith.transforms.opening.forms import FIRST_FORMS, Form
from nacrith.transforms.opening.layer import MOST_STREAMS
from nacrith.transforms.opening.limits import MAX_DEPTH, MAX_EXPANDED
from nacrith.transforms.prompts import PROMPTS
from predictors.language_models.correction.correction_file import read_correction
from predictors.language_models.numerics import FEATURES, MACHINES, Numerics
from predictors.mixing.contexts import ALL_KINDS
from tests.conftest import ROOT

SMOLLM2 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
CORRECTIONS = {
    2: "484b5c256d661512",
    3: "cf252ffa3915b9b3",
    4: "2e45484ab20bbf61",
}
"""Of `SMOLLM2`, by the number of the model with it."""
GENERAL = CORRECTIONS[2]


def test_the_predictors_agree_with_the_format():
    assert Parameters().contexts == parameters.MAX_CONTEXTS == ALL_KINDS
    assert len(PROMPTS) - 1 == parameters.MAX_PROMPT
    assert parameters.MAX_NEIGHBORS == 1 << 16
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


@pytest.mark.parametrize(
    ("sha256", "correction", "expected"),
    [
        (SMOLLM2, "", "01"),
        *((SMOLLM2, hash_, f"{number:02x}") for number, hash_ in CORRECTIONS.items()),
        (SMOLLM2, "ab" * 8, f"ff {'ab' * 8} 01"),
        ("cd" * 32, "", f"00 016d {'cd' * 32}"),
        ("cd" * 32, GENERAL, f"ff {GENERAL} 00 016d {'cd' * 32}"),
    ],
)
def test_the_bytes_that_name_a_model(sha256, correction, expected):
    name = "SmolLM2-135M-Instruct.Q4_1" if sha256 == SMOLLM2 else "m"
    record = header.ModelRecord(name, sha256, NumericsRecord("exact", "3"), 0, correction)
    packed = header.Header(record).to_bytes()
    assert packed == bytes.fromhex(f"01 {expected} 02 0133")
    assert header.Header.read(Reader(packed, "header"))[0].model == record


def test_a_known_correction_is_not_corrected_again():
    two = bytes.fromhex(f"01 ff {'ab' * 8} 02 02 0132")
    with pytest.raises(FormatError, match="two corrections"):
        header.Header.read(Reader(two, "header"))


LATER = f"{max(CORRECTIONS) + 1:02x}"


@pytest.mark.parametrize("number", [LATER, f"ff {'ab' * 8} {LATER}", f"ff {'ab' * 8} ff"])
def test_the_number_of_a_later_version_is_refused(number):
    with pytest.raises(UnsupportedError, match="install a newer"):
        header.Header.read(Reader(bytes.fromhex(f"01 {number} 02 0132"), "header"))


def test_the_corrections_that_are_shipped_are_those_that_files_name():
    assert set(header.KNOWN_MODELS) == {1, *CORRECTIONS}
    found = list(corrections.shipped())
    assert [corrections.short_name(f) for f in found] == list(CORRECTIONS.values())[::-1]
    for file in found:
        assert file.model == SMOLLM2
        assert read_correction(file.path).sha256 == file.sha256


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


def test_the_numbers_of_opened_streams():
    names = {"RAW": 0, "ZLIB": 1, "GZIP": 2, "LEPTON": 3, "JPEG": 4, "PNG": 5}
    assert {form.name: form.value for form in Form} == names
    # One that the first programs of the format do not know is refused by them, not misread.
    assert {form.value for form in FIRST_FORMS} == {0, 1, 2, 3} and frame._OPENED_WITH_PICTURES == 6
    assert (MAX_DEPTH, MOST_STREAMS, MAX_EXPANDED) == (3, 1 << 16, frame.MAX_ORIGINAL)
    assert [most_blocks(n) for n in (0, 63, 64, 1 << 20)] == [64, 64, 65, 64 + (1 << 14)]
    assert Effort() == (6, 0, 8, 15, 15, False)
    assert [*Effort(9, 1, 9, 16, 9, False).fields()] == [1, 32, 258, 258, 4096, 250, 4096, 1, 0, 16]
    assert [*Effort(10, free=True).fields()] == [0, 258, 258, 258, 4096, 32768, 32768, 0, 1, 15]
    assert (GREEDY, LAZY, LITERALS, RUNS) == (0, 1, 2, 3)
    assert NUMBER == 165
    # What docs/deflate.md calls good, lazy, nice and chain, level by level.
    assert [LEVELS[n] for n in range(1, 11)] == [
        (0, 4, 4, 8, 4),
        (0, 4, 5, 16, 8),
        (0, 4, 6, 32, 32),
        (1, 4, 4, 16, 16),
        (1, 8, 16, 32, 32),
        (1, 8, 16, 128, 128),
        (1, 8, 32, 128, 256),
        (1, 32, 128, 258, 1024),
        (1, 32, 258, 258, 4096),
        (0, 258, 258, 258, 4096),
    ]
