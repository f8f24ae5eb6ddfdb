"""Files that are made with a correction of the model's weights."""

import io
import json
import pickle
import shutil
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

import nacrith
from nacrith.cli.inspect import models
from nacrith.codec.codec_request import DecompressRequest
from nacrith.codec.loaded_models import LoadedModels, load_model
from nacrith.errors import ModelMismatchError, ModelNotFoundError, NacrithError
from nacrith.format.container import MemberReader, sole_member
from nacrith.format.frame import Kind
from nacrith.format.header import KNOWN_MODELS, KnownModel
from nacrith.models import catalog, corrections
from nacrith.models.catalog import default_model, describe
from nacrith.pipeline.compress import compress_stream
from nacrith.pipeline.decompress import decompress_stream
from nacrith.pipeline.options import CompressOptions
from nacrith.pipeline.presets import DEFAULT
from nacrith.workers.processes import process_workers
from predictors.base import ModelError
from predictors.language_models.correction import file_head
from predictors.language_models.correction.file_head import describe_correction
from predictors.language_models.correction.merged_gguf import merged_gguf
from tests.conftest import assert_fails
from tests.correction_examples import random_correction, write_two
from tests.golden_cases import PARAGRAPHS, TEXT


@pytest.fixture(autouse=True)
def in_model(keep_text):
    """All text is kept in the model."""


@pytest.fixture(scope="module")
def folder(tiny_gguf, tmp_path_factory):
    """Two corrections of the tiny model, `one` and `two`, and one of another model."""
    found = tmp_path_factory.mktemp("corrections")
    for seed, name in enumerate(("one", "two"), 1):
        (found / name).write_bytes(random_correction(tiny_gguf, seed=seed).to_bytes())
    foreign = replace(random_correction(tiny_gguf), model="ab" * 32)
    (found / "foreign").write_bytes(foreign.to_bytes())
    return found


@pytest.fixture
def on_two(tiny_gguf, folder):
    """A correction of the tiny model that builds on `base.bin`: its path."""
    write_two(tiny_gguf, folder)
    return folder / "on.bin"


@pytest.fixture
def options(tiny_gguf):
    return {"model": tiny_gguf, "window": 256, "threads": 1}


def record_of(packed):
    return next(iter(MemberReader(io.BytesIO(packed)))).header.model


def short(path):
    return corrections.short_name(describe_correction(path))


def test_both_directions(options, tiny_gguf, folder):
    plain = nacrith.compress(TEXT, **options)
    assert record_of(plain).correction == ""
    assert nacrith.compress(TEXT, **options, correction="none") == plain
    packed = nacrith.compress(TEXT, **options, correction=folder / "one")
    assert record_of(packed).correction == short(folder / "one")
    assert nacrith.decompress(packed, model=tiny_gguf, correction=str(folder / "one")) == TEXT
    # What a file does not need does not matter.
    for choice in ("none", folder / "two", None):
        assert nacrith.decompress(plain, model=tiny_gguf, correction=choice) == TEXT


def test_another_correction_makes_another_file(options, folder):
    packed = {nacrith.compress(TEXT, **options, correction=folder / n) for n in ("one", "two")}
    assert len({file[-20:] for file in packed}) == 2


@pytest.mark.parametrize("choice", [None, "none", "two"])
def test_without_the_correction_a_file_does_not_open(options, tiny_gguf, folder, choice):
    packed = nacrith.compress(TEXT, **options, correction=folder / "one")
    given = folder / "two" if choice == "two" else choice
    with pytest.raises(ModelNotFoundError) as caught:
        nacrith.decompress(packed, model=tiny_gguf, correction=given)
    assert short(folder / "one") in str(caught.value) and "--correction" in str(caught.value)
    if choice == "two":
        assert f"two is {short(folder / 'two')}" in str(caught.value)


def test_bad_corrections_are_refused_first(options, folder, tmp_path):
    (tmp_path / "bad").write_bytes(b"x" * 1000)
    for path, words in (
        (tmp_path / "missing", "can't read the correction"),
        (tmp_path / "bad", "is no correction"),
        (tmp_path, "is no correction"),
    ):
        with pytest.raises(ModelNotFoundError, match=words):
            nacrith.compress(b"", correction=path)
        with pytest.raises(ModelNotFoundError, match=words):
            nacrith.decompress(nacrith.compress(b""), correction=path)
        with pytest.raises(ModelNotFoundError, match=words):
            nacrith.Codec(correction=path)
    with pytest.raises(ModelMismatchError, match=r"is not for tiny but.* --model"):
        nacrith.compress(TEXT, **options, correction=folder / "foreign")


def test_damaged_factors_are_refused(options, folder, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    data = (folder / "one").read_bytes()
    (tmp_path / "bad").write_bytes(data[:-5])
    with pytest.raises(NacrithError, match="is damaged; get it anew"):
        nacrith.compress(TEXT, **options, correction=tmp_path / "bad")


def test_every_frame_dictionary_and_stream(options, tiny_gguf, folder):
    text = PARAGRAPHS.encode()
    given = {"correction": folder / "one", "dictionary": TEXT}
    packed = nacrith.compress(text, **options, **given, streams=2, block_size=500)
    assert nacrith.decompress(packed, model=tiny_gguf, **given) == text
    with pytest.raises(ModelNotFoundError):
        nacrith.decompress(packed, model=tiny_gguf, dictionary=TEXT)


def test_codecs_keep_corrections_apart(options, folder):
    messages = [TEXT, TEXT[5:70], TEXT[30:]]
    choices = (None, folder / "one", folder / "two")
    expected = [[nacrith.compress(m, **options, correction=c) for m in messages] for c in choices]
    for choice, files in zip(choices, expected, strict=True):
        with nacrith.Codec(**options, correction=choice) as codec:
            for _ in range(2):
                assert list(codec.compress_many(messages)) == files
                assert list(codec.decompress_many(files)) == messages
    # One shelf of open codecs with files of both kinds.
    with nacrith.Codec(**options, correction=folder / "one") as codec:
        mixed = [*expected[1], *expected[0], *expected[1]]
        assert list(codec.decompress_many(mixed)) == messages * 3
        assert codec.decompress(expected[0][0]) == codec.decompress(expected[1][0]) == TEXT
        with pytest.raises(ModelNotFoundError, match="message 1: "):
            list(codec.decompress_many([expected[1][0], expected[2][0]]))


def test_loaded_models_are_told_apart(tiny_gguf, folder):
    one, two = (describe_correction(folder / name) for name in ("one", "two"))
    models = LoadedModels(threads=1)
    found = [models.load("exact", tiny_gguf, 1, c) for c in (None, one, two, one)]
    assert len({*map(id, found)}) == 3 and found[1] is found[3]
    models.close()


def test_other_processes_get_it(tiny_gguf, folder):
    # The fixture's changes do not reach them.
    options = CompressOptions(
        tiny_gguf,
        "exact",
        1,
        preset=replace(DEFAULT, least_saving=None),
        streams=1,
        block_size=1500,
        correction=folder / "one",
    )
    text = PARAGRAPHS.encode() * 4
    packed, restored = io.BytesIO(), io.BytesIO()
    workers = process_workers(2, 1)
    try:
        compress_stream(io.BytesIO(text), packed, options, len(text), workers=workers)
        packed.seek(0)
        decompress_stream(
            packed, restored, tiny_gguf, workers=workers, correction=options.correction
        )
    finally:
        workers.close()
    assert restored.getvalue() == text
    member = next(iter(MemberReader(io.BytesIO(packed.getvalue()))))
    assert record_of(packed.getvalue()).correction == short(folder / "one")
    assert [frame.size_of(Kind.TEXT) > 0 for frame in member.frames()] == [True] * 3
    assert nacrith.decompress(packed.getvalue(), model=tiny_gguf, correction=folder / "one") == text


def test_other_processes_get_both(tiny_gguf, on_two):
    file = describe_correction(on_two)
    assert pickle.loads(pickle.dumps(file)) == file
    one, two = (load_model("exact", tiny_gguf, 1, c) for c in (file.base, file))
    assert not np.array_equal(logits(one), logits(two))


def test_requests_differ_by_it(tiny_gguf, folder, options):
    packed = nacrith.compress(TEXT, **options, correction=folder / "one")
    record = record_of(packed)
    request = DecompressRequest(record, CompressOptions().parameters, tiny_gguf)
    assert request != replace(request, correction=folder / "one")
    assert request != replace(request, record=replace(record, correction=""))


def test_file_objects(options, tiny_gguf, folder, tmp_path):
    path = tmp_path / "a.nc"
    with nacrith.open(path, "wb", **options, correction=folder / "one") as file:
        file.write(TEXT)
    with nacrith.open(path, model=tiny_gguf, correction=folder / "one") as file:
        assert file.read() == TEXT
    with nacrith.open(path, model=tiny_gguf) as file, pytest.raises(ModelNotFoundError):
        file.read()


def test_the_command_line(nacrith, run_main, tmp_path, tiny_gguf, folder):
    (tmp_path / "a.txt").write_bytes(TEXT)
    given = ["--model", tiny_gguf, "--correction", folder / "one"]
    # In this process, where text is kept in the model.
    code, message = run_main("compress", *given, "--window", "256", "--rm", tmp_path / "a.txt")
    assert code == 0, message
    assert short(folder / "one").encode() in nacrith("info", "a.txt.nc").stdout
    assert nacrith("test", *given, "a.txt.nc").returncode == 0
    assert nacrith("explain", *given, "-o", "page.html", "a.txt.nc").returncode == 0
    (tmp_path / "bad").write_bytes(b"x")
    for wrong, words in (
        (["--model", tiny_gguf], b"name the correction's file with --correction"),
        (["--model", tiny_gguf, "--correction", "none"], b"does not have"),
        (["--model", tiny_gguf, "--correction", folder / "two"], b"does not have"),
        (["--correction", "bad"], b"is no correction"),
        (["--correction", "missing"], b"can't read the correction missing"),
    ):
        result = nacrith("decompress", *wrong, "a.txt.nc")
        assert result.returncode == 1 and words in result.stderr, result.stderr
        assert b"Traceback" not in result.stderr and not (tmp_path / "a.txt").exists()
    assert nacrith("decompress", "--correction", "", "a.txt.nc").returncode == 2
    assert nacrith("decompress", *given, "a.txt.nc").returncode == 0
    assert (tmp_path / "a.txt").read_bytes() == TEXT


def test_the_default_model_has_the_newest_that_is_shipped(tmp_path, monkeypatch):
    file = default_model()
    newest = max(KNOWN_MODELS)
    shipped = KNOWN_MODELS[newest].correction
    assert corrections.short_name(corrections.corrected(file).correction) == shipped
    assert corrections.corrected(file, "none").correction is None
    assert corrections.corrected_as(file, shipped) == corrections.corrected(file)
    assert corrections.corrected_as(file, "").correction is None
    (tmp_path / "damaged").write_bytes(b"x")
    for state in ("missing", "damaged"):
        monkeypatch.setattr(corrections, "shipped_path", lambda _, name=state: tmp_path / name)
        with pytest.raises(ModelNotFoundError, match="anew, or use --correction none"):
            corrections.corrected(file)
        with pytest.raises(ModelNotFoundError, match="install that anew"):
            corrections.corrected_as(file, shipped)
        assert corrections.corrected(file, "none") == file


def test_a_known_correction_that_was_replaced(folder, monkeypatch):
    monkeypatch.setattr(corrections, "shipped_path", lambda number: folder / "foreign")
    known = KNOWN_MODELS[2].correction
    with pytest.raises(ModelNotFoundError, match=f"{known} of .* the version of nacrith"):
        corrections.corrected_as(default_model(), known)


@pytest.fixture
def numbered(tiny_gguf, folder, on_two, tmp_path, monkeypatch):
    """The tiny model is known as 252, with `base.bin` as 253, with `on.bin` as 254."""
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    for number, name in ((253, "base.bin"), (254, "on.bin")):
        shutil.copy(folder / name, shipped / f"general-{number}.bin")
    monkeypatch.setattr(file_head, "SHIPPED", shipped)
    tiny = describe(tiny_gguf)
    monkeypatch.setitem(KNOWN_MODELS, 252, KnownModel("tiny", tiny.sha256))
    for number, name in ((253, "base.bin"), (254, "on.bin")):
        known = KnownModel("tiny", tiny.sha256, short(folder / name))
        monkeypatch.setitem(KNOWN_MODELS, number, known)


def test_a_users_own_builds_on_another(options, tiny_gguf, on_two):
    packed = nacrith.compress(TEXT, **options, correction=on_two)
    assert record_of(packed).correction == short(on_two)
    assert nacrith.decompress(packed, model=tiny_gguf, correction=on_two) == TEXT
    with pytest.raises(ModelNotFoundError, match=short(on_two)):
        nacrith.decompress(packed, model=tiny_gguf, correction=on_two.with_name("base.bin"))


def test_without_what_it_builds_on_it_is_of_no_use(nacrith, options, on_two, tmp_path, tiny_gguf):
    lonely = tmp_path / "lonely" / "on.bin"
    lonely.parent.mkdir()
    shutil.copy(on_two, lonely)
    (tmp_path / "a.txt").write_bytes(TEXT)
    result = nacrith("compress", "--model", tiny_gguf, "--correction", lonely, "a.txt")
    assert_fails(result, 1, "builds on another correction", "nor beside it")
    assert not (tmp_path / "a.txt.nc").exists()


def test_the_newest_number_is_the_default_and_older_files_open(
    numbered, options, tiny_gguf, folder
):
    packed = {
        number: nacrith.compress(TEXT, **options, correction=choice)
        for number, choice in (
            (252, "none"), (253, folder / "base.bin"), (254, None), (254, folder / "on.bin"),
        )
    }  # fmt: skip
    for number, data in packed.items():
        header = next(iter(MemberReader(io.BytesIO(data)))).header.to_bytes(sole=True)
        assert header in data and header[1] == number
        assert nacrith.decompress(data, model=tiny_gguf) == TEXT
    assert len({data[-20:] for data in packed.values()}) == 3
    corrections.shipped_path(253).unlink()
    with pytest.raises(ModelNotFoundError, match="install that anew"):
        nacrith.decompress(packed[254], model=tiny_gguf)
    assert nacrith.decompress(packed[252], model=tiny_gguf) == TEXT


def test_the_list_of_models_names_both(numbered, tiny_gguf, tmp_path, monkeypatch, folder):
    (tmp_path / "models").mkdir()
    shutil.copy(tiny_gguf, tmp_path / "models")
    monkeypatch.setenv("NACRITH_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr(catalog, "embedded_path", lambda: None)
    listed = CliRunner().invoke(models, [])
    on, base = (short(folder / name) for name in ("on.bin", "base.bin"))
    assert f"  correction of its weights {on}, which builds on {base}\n" in listed.output
    row = json.loads(CliRunner().invoke(models, ["--json"]).stdout.splitlines()[0])
    assert (row["correction"], row["builds_on"]) == (on, base)


def test_another_model_has_none(tiny_gguf):
    assert corrections.corrected(describe(tiny_gguf)).correction is None


def test_a_file_with_a_lie_about_its_numerics_is_refused(options, tiny_gguf, folder):
    packed = nacrith.compress(TEXT, **options, correction=folder / "one")
    member = next(iter(MemberReader(io.BytesIO(packed))))
    record = member.header.model
    assert record and member.sole
    for changed, problem in (
        (replace(record, correction=""), "damaged"),
        (replace(record, numerics=replace(record.numerics, version="1")), "exact backend"),
    ):
        data = sole_member(replace(member.header, model=changed), member.sole)
        with pytest.raises(NacrithError, match=problem):
            nacrith.decompress(data, model=tiny_gguf, correction=folder / "one")


TOKENS = np.random.default_rng(1).integers(3, 200, (40, 2)).astype(np.int32)


def logits(model):
    session = model.open(2, 256, 4)
    found = np.array([session.step(row).copy() for row in TOKENS])
    session.close()
    model.close()
    return found


@pytest.mark.parametrize("name", ["one", "on.bin"])
@pytest.mark.parametrize("backend", ["llama.cpp", "transformers"])
def test_the_other_backends_compute_about_the_same(tiny_gguf, folder, on_two, backend, name):
    one = describe_correction(folder / name)
    plain, exact = (logits(load_model("exact", tiny_gguf, 1, c)) for c in (None, one))
    other = logits(load_model(backend, tiny_gguf, 1, one))

    def distance(a, b):
        return np.linalg.norm(a - b) / np.linalg.norm(b)

    assert distance(other, exact) < 0.05 < 0.2 < distance(plain, exact)
    if one.base:
        below = logits(load_model("exact", tiny_gguf, 1, one.base))
        assert distance(below, exact) > 0.1


@pytest.mark.parametrize("backend", ["llama.cpp", "transformers"])
def test_the_other_backends_restore_what_they_made(options, tiny_gguf, folder, backend):
    packed = nacrith.compress(TEXT, **options, backend=backend, correction=folder / "one")
    assert record_of(packed).correction == short(folder / "one")
    assert nacrith.decompress(packed, model=tiny_gguf, correction=folder / "one") == TEXT


def test_the_merged_gguf_is_written_once_and_checked(tiny_gguf, folder, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    one = describe_correction(folder / "one")
    path = merged_gguf(tiny_gguf, one)
    data = path.read_bytes()
    monkeypatch.setattr("predictors.language_models.correction.merged_gguf._write", None)
    assert merged_gguf(tiny_gguf, one) == path
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path.write_bytes(data[:-1] + b"x")
    assert merged_gguf(tiny_gguf, one).read_bytes() == data
    assert [p.name for p in path.parent.glob("*.gguf")] == [path.name]
    with pytest.raises(ModelError, match="another model"):
        merged_gguf(tiny_gguf, describe_correction(folder / "foreign"))


def test_no_room_for_the_merged_gguf(tiny_gguf, folder, tmp_path, monkeypatch):
    (tmp_path / "cache").write_bytes(b"not a folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(ModelError, match=r"can't be written.*--backend exact"):
        merged_gguf(tiny_gguf, describe_correction(folder / "one"))
