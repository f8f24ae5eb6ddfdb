"""Training: what it is fed with, that it goes on as if nothing had happened, and how it ends."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import corpora  # noqa: E402
from corpora import training  # noqa: E402
from corpora.leaks import Benchmarks  # noqa: E402
from nacrith.correction import average, pack, ship, train  # noqa: E402
from nacrith.correction import documents as documents_module  # noqa: E402
from nacrith.correction.average import averaged  # noqa: E402
from nacrith.correction.checkpoint import read_checkpoint  # noqa: E402
from nacrith.correction.command import run  # noqa: E402
from nacrith.correction.sequences import sequences  # noqa: E402
from nacrith.errors import FileError  # noqa: E402
from nacrith.format.header import KNOWN_MODELS  # noqa: E402
from nacrith.models.catalog import describe  # noqa: E402
from predictors.base import ModelError  # noqa: E402
from predictors.language_models.correction import file_head  # noqa: E402
from predictors.language_models.correction.correction_file import (  # noqa: E402
    read_correction,
)
from predictors.language_models.correction.factors import SCALE  # noqa: E402
from predictors.language_models.correction.samples import Samples, shares  # noqa: E402
from predictors.language_models.correction.schedule import Schedule  # noqa: E402
from predictors.language_models.correction.trainer import Trainer  # noqa: E402
from predictors.language_models.exact.gguf_file import Gguf  # noqa: E402
from tests.conftest import ROOT, assert_fails  # noqa: E402
from tests.correction_examples import random_correction, write_three  # noqa: E402

DOCUMENTS = {
    "prose": [np.arange(1000, dtype=np.int32), np.arange(2000, 2070, dtype=np.int32)],
    "code": [np.arange(5000, 5900, dtype=np.int32)],
    "logs": [np.arange(9000, 9100, dtype=np.int32)],
}
WEIGHTS = {"prose": 3.0, "code": 1.0}
LENGTH = 32


def samples(seed=1):
    return Samples(DOCUMENTS, WEIGHTS, LENGTH, seed)


def test_sequences_are_pieces_of_documents_mixed_by_weight():
    drawn = samples().draw(400)
    assert drawn.shape == (400, LENGTH) and drawn.dtype == np.int64
    assert (np.diff(drawn) == 1).all()
    assert 0.65 < (drawn[:, 0] < 3000).mean() < 0.85
    assert drawn.max() < 5900


def test_each_pass_has_each_piece_once_and_is_cut_otherwise():
    series = Samples(DOCUMENTS, {"code": 1.0}, LENGTH, 1)
    begins = series.draw(60)[:, 0] - 5000
    cuts = np.flatnonzero(np.diff(begins % LENGTH))
    first, second = begins[: cuts[0] + 1], begins[cuts[0] + 1 : cuts[1] + 1]
    for one_pass in (first, second):
        assert len(set(one_pass)) == len(one_pass) >= 27
        assert not (np.diff(one_pass) > 0).all()
    assert first[0] % LENGTH != second[0] % LENGTH


def test_documents_are_drawn_by_the_root_of_their_size_and_short_ones_no_more_than_four_times():
    sizes = [64_000, 16_000, 4000, 40]
    starts = [1_000_000 * i for i in range(4)]
    documents = [np.arange(at, at + n, dtype=np.int32) for at, n in zip(starts, sizes, strict=True)]
    series = Samples({"prose": documents}, {"prose": 1.0}, LENGTH, 1)
    round_of_all = sum(n // LENGTH for n in sizes)
    times = np.bincount(series.draw(4 * round_of_all)[:, 0] // 1_000_000) / 4
    assert times[0] / times[1] == pytest.approx(2, rel=0.02)
    assert times[1] / times[2] == pytest.approx(2, rel=0.02)
    assert 3 <= times[3] <= 6
    by_size = Samples({"prose": documents}, {"prose": 1.0}, LENGTH, 1, exponent=1.0)
    drawn = np.bincount(by_size.draw(round_of_all)[:, 0] // 1_000_000)
    assert drawn[0] / drawn[2] == pytest.approx(16, rel=0.02)
    alike = shares(np.array(sizes, np.float64), 0.0)
    assert alike[0] == alike[1] and alike[3] < alike[2] < alike[1]


def test_samples_go_on_from_their_state():
    whole = samples().draw(300)
    begun = samples()
    assert np.array_equal(begun.draw(130), whole[:130])
    state = json.loads(json.dumps(begun.state()))
    for series in (samples(), begun):
        series.restore(state)
        assert np.array_equal(series.draw(170), whole[130:])
    assert not np.array_equal(samples(2).draw(300), whole)


def test_a_kind_without_a_long_document_is_an_error():
    with pytest.raises(ValueError, match="code"):
        Samples({"code": [np.arange(5, dtype=np.int32)]}, {"code": 1.0}, LENGTH, 1).draw(1)


def test_the_rate_rises_stays_and_falls_by_tokens():
    schedule = Schedule(peak=2.0, warm_up=100, decay_from=800, total=1000)
    assert schedule.rate(0) < schedule.rate(50) < schedule.rate(100) == 2.0
    assert schedule.rate(799) == 2.0
    assert schedule.rate(900) == 1.0
    assert schedule.rate(1000) == schedule.rate(2000) == 0.0


def test_validation_sequences_are_spread_over_all_documents():
    texts = [np.arange(i * 10_000, i * 10_000 + 900 + i, dtype=np.int32) for i in range(3)]
    found = sequences([*texts, np.arange(5, dtype=np.int32)], 7, 100)
    assert found.shape == (7, 100)
    assert [n // 10_000 for n in found[:, 0]] == [0, 1, 2, 0, 1, 2, 0]
    assert len(set(found[:, 0])) == 7
    assert all(row[-1] % 10_000 < 903 for row in found)


def test_of_more_documents_than_sequences_some_from_all_over_are_taken():
    texts = [np.arange(i * 10_000, i * 10_000 + 900, dtype=np.int32) for i in range(10)]
    assert [n // 10_000 for n in sequences(texts, 4, 100)[:, 0]] == [0, 2, 5, 7]


BOOK = " ".join(f"The {i}th of the men, and the sea of thing {i * i}." for i in range(200)).encode()


@pytest.fixture
def small_run(tmp_path, monkeypatch, tiny_gguf):
    """Train on a text in this process: `small_run(folder, steps, ...)`; returns the log."""
    torch.compiler.set_stance("force_eager")
    threads = torch.get_num_threads()

    def texts(split):
        text = training.Text("prose/a.txt", "prose", split, len(BOOK), split * 4, "", "")
        yield text, BOOK if split == training.TRAIN else BOOK[::-1].replace(b"<", b">")

    none = Benchmarks([])
    monkeypatch.setattr(training, "read", texts)
    monkeypatch.setattr(documents_module, "benchmarks", lambda: (none, []))
    monkeypatch.setattr(train, "_REPORT_STEPS", 2)
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def run_small(folder, steps, *options):
        arguments = [
            "train", str(tmp_path / folder), "--model", str(tiny_gguf), "--rank", "2",
            "--length", "32", "--sequences", "3", "--at-once", "2", "--threads", "1",
            "--tokens", str(steps * 96), "--warm-up", "96", "--decay-from", "100000",
            "--validation-sequences", "2", "--validate-every", "200", *options,
        ]  # fmt: skip
        monkeypatch.setattr(sys, "argv", arguments)
        train.main()
        lines = (tmp_path / folder / "log.jsonl").read_text("utf-8").splitlines()
        return [json.loads(line) for line in lines]

    yield run_small
    for number, handler in before.items():
        signal.signal(number, handler)
    torch.set_num_threads(threads)
    torch.compiler.set_stance("default")


def state_of(folder):
    return torch.load(folder / "checkpoint.pt", weights_only=True)


def assert_equal_states(one, other):
    for name in ("factors", "average"):
        assert torch.equal(one[name], other[name])
    assert (one["tokens"], one["samples"]) == (other["tokens"], other["samples"])
    ours, theirs = (state["adam"]["state"][0] for state in (one, other))
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_a_run_learns_and_logs_its_curve(small_run, tmp_path):
    log = small_run("a", 60, "--rate", "0.02")
    assert log[-1]["event"] == "done" and log[-1]["trained"] == 60 * 96
    costs = [entry["bits"] for entry in log if entry["event"] == "steps"]
    assert costs[-1] < 0.9 * costs[0]
    curve = [entry for entry in log if entry["event"] == "validation"]
    assert len(curve) > 20 and set(curve[-1]["percent"]) == {"prose"}
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == [
        "base.json", "checkpoint.pt", "log.jsonl", "tokens",
    ]  # fmt: skip


def test_a_stopped_run_goes_on_as_if_nothing_had_happened(small_run, tmp_path, monkeypatch):
    small_run("whole", 7)
    small_run("parts", 3)
    step, made = Trainer.step, []

    def interrupted(trainer):
        made.append(1)
        if len(made) == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return step(trainer)

    monkeypatch.setattr(Trainer, "step", interrupted)
    log = small_run("parts", 7)
    assert log[-1] == {"time": log[-1]["time"], "event": "stopped", "trained": 5 * 96}
    monkeypatch.setattr(Trainer, "step", step)
    small_run("parts", 7)
    assert_equal_states(state_of(tmp_path / "whole"), state_of(tmp_path / "parts"))


def test_snapshots_can_be_gone_on_from(small_run, tmp_path):
    small_run("whole", 8, "--snapshot-every", "384")
    assert (tmp_path / "whole" / "snapshot-0001.pt").exists()
    small_run("other", 1)
    (tmp_path / "whole" / "snapshot-0001.pt").rename(tmp_path / "other" / "checkpoint.pt")
    small_run("other", 8)
    assert_equal_states(state_of(tmp_path / "whole"), state_of(tmp_path / "other"))


def test_a_text_with_a_passage_of_a_benchmark_is_left_out(small_run, monkeypatch):
    known = Benchmarks([BOOK[100:160]])
    monkeypatch.setattr(documents_module, "benchmarks", lambda: (known, ["calgary"]))
    with pytest.raises(corpora.CorpusError, match="NACRITH_CORPORA"):
        small_run("a", 1)


def test_without_a_corpus_nothing_of_its_authors_is_for_training(tmp_path, tiny_gguf, monkeypatch):
    def texts(split):
        for i, (name, source) in enumerate(
            (("a", "Thomas Hardy/Tess.md"), ("Dickens-b", ""), ("c", "github: hard/work"))
        ):
            yield training.Text(f"prose/{name}", "prose", split, 1, f"{i}", source, ""), BOOK

    monkeypatch.setattr(training, "read", texts)
    vocabulary = Gguf(tiny_gguf).vocabulary()

    def used(split, missing):
        told: list[str] = []
        monkeypatch.setattr(documents_module, "benchmarks", lambda: (Benchmarks([]), missing))
        found = documents_module.documents(split, vocabulary, tmp_path, told.append)
        assert len(told) == bool(missing) + 3 - len(found["prose"])
        return len(found["prose"])

    assert used(training.TRAIN, []) == 3
    assert used(training.TRAIN, ["calgary"]) == used(training.TRAIN, ["silesia"]) == 2
    assert used(training.TRAIN, ["calgary", "silesia"]) == 1
    assert used(training.VALIDATION, ["calgary", "silesia"]) == 3


@pytest.mark.parametrize("wrong", ["2", "-0.5", "nan", "x"])
def test_an_exponent_that_is_none_is_wrong_usage(small_run, capsys, wrong):
    with pytest.raises(SystemExit) as caught:
        small_run("a", 1, f"--size-exponent={wrong}")
    assert caught.value.code == 2 and "--size-exponent" in capsys.readouterr().err


def test_without_a_text_of_the_kinds_asked_for_there_is_no_training(small_run):
    with pytest.raises(FileError, match=r"no training texts of 32 tokens .* kinds code; .*--kinds"):
        small_run("a", 1, "--kinds", "code=1")


def test_factors_of_another_rank_are_refused(small_run):
    small_run("a", 1)
    with pytest.raises(ModelError, match="rank 2"):
        small_run("a", 2, "--rank", "3")


def test_there_is_no_training_without_benchmarks_to_compare_with(monkeypatch):
    monkeypatch.setattr(corpora, "folders", lambda: [])
    with pytest.raises(corpora.CorpusError):
        documents_module.benchmarks()


def run_command(monkeypatch, name, module, *arguments):
    monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
    run(name, module.main)


def run_pack(monkeypatch, *arguments):
    run_command(monkeypatch, "pack", pack, *arguments)


def test_a_checkpoint_becomes_a_correction(small_run, tmp_path, tiny_gguf, monkeypatch, capsys):
    small_run("a", 3)
    checkpoint, target = tmp_path / "a" / "checkpoint.pt", tmp_path / "correction.bin"
    run_pack(monkeypatch, checkpoint, target, "--model", tiny_gguf, "--largest", "127")
    correction = read_correction(target)
    assert correction.sha256 in capsys.readouterr().out
    factors = read_checkpoint(checkpoint, correction.shape).factors
    for name, a in factors.a.items():
        expected = SCALE * (factors.b[name][1] @ a[1]).numpy()
        found = correction.merged(name, 1, np.zeros_like(expected))
        assert np.linalg.norm(found - expected) < 0.03 * np.linalg.norm(expected)


def test_checkpoints_are_averaged_and_their_change_is_scaled(small_run, tmp_path, tiny_gguf):
    checkpoints = []
    for name, steps in (("a", 2), ("b", 3)):
        small_run(name, steps)
        checkpoints.append(tmp_path / name / "checkpoint.pt")
    shape = Gguf(tiny_gguf).shape
    one, other = (read_checkpoint(path, shape).factors for path in checkpoints)
    mean = averaged(checkpoints, shape, 0.5).factors
    for name, a in mean.a.items():
        assert torch.allclose(a, (one.a[name] + other.a[name]) / 2)
        assert torch.allclose(mean.b[name], (one.b[name] + other.b[name]) / 4)
    assert not torch.equal(one.flat, other.flat)


@pytest.fixture
def base(tmp_path, tiny_gguf):
    """A correction of the tiny model, and beside it one that builds on it, `on.bin`."""
    write_three(tiny_gguf, tmp_path)
    return tmp_path / "base.bin"


def test_what_is_trained_on_a_correction_builds_on_it(
    small_run, tmp_path, tiny_gguf, base, monkeypatch, capsys
):
    log = small_run("a", 3, "--on", str(base))
    below = read_correction(base)
    assert log[0]["on"] == below.sha256 and small_run("plain", 1)[0]["on"] is None
    plain = small_run("plain", 1)
    assert log[1]["bits"] != plain[1]["bits"]
    checkpoint, target = tmp_path / "a" / "checkpoint.pt", tmp_path / "packed"
    with pytest.raises(SystemExit, match=rf"the correction {below.sha256[:16]}, .* with --on"):
        run_pack(monkeypatch, checkpoint, target, "--model", tiny_gguf)
    monkeypatch.setattr(file_head, "SHIPPED", tmp_path)
    for options in ((), ("--on", base)):
        run_pack(monkeypatch, checkpoint, target, "--model", tiny_gguf, *options)
        assert f"builds on {below.sha256[:16]}" in capsys.readouterr().out
        found = read_correction(target)
        assert found.base and found.base.sha256 == below.sha256
        assert {np.abs(a).max() for a in found.a.values()} == {15}
    factors = read_checkpoint(checkpoint, found.shape).factors
    change = SCALE * (factors.b["qkv"][1] @ factors.a["qkv"][1]).numpy()
    weights = np.ones_like(change)
    expected = below.merged("qkv", 1, weights) + change
    error = np.linalg.norm(found.merged("qkv", 1, weights) - expected)
    assert error < 0.15 * np.linalg.norm(change)


def test_a_run_goes_on_with_the_correction_that_it_began_on(small_run, base, tmp_path):
    small_run("a", 1, "--on", str(base))
    with pytest.raises(ModelError, match=r"was trained on the correction [0-9a-f]{16}; use --on"):
        small_run("a", 2)
    small_run("b", 1)
    with pytest.raises(ModelError, match="was trained on no correction"):
        small_run("b", 2, "--on", str(base))


def test_a_checkpoint_that_does_not_say_what_it_was_trained_on(
    small_run, base, tmp_path, tiny_gguf, monkeypatch
):
    small_run("a", 1, "--on", str(base))
    path = tmp_path / "a" / "checkpoint.pt"
    state = torch.load(path, weights_only=True)
    name = state.pop("on")
    torch.save(state, path)
    given = path, tmp_path / "out", "--model", tiny_gguf
    with pytest.raises(SystemExit, match=r"does not say .* or say --on none"):
        run_pack(monkeypatch, *given)
    for choice, expected in (("none", None), (base, name)):
        run_pack(monkeypatch, *given, "--on", choice)
        found = read_correction(tmp_path / "out").base
        assert (found and found.sha256) == expected
    small_run("a", 2, "--on", str(base))
    assert torch.load(path, weights_only=True)["on"] == name


def test_what_can_not_be_built_on_is_refused(
    small_run, tmp_path, tiny_gguf, base, monkeypatch, capsys
):
    foreign = tmp_path / "foreign.bin"
    foreign.write_bytes(replace(random_correction(tiny_gguf), model="ab" * 32).to_bytes())
    small_run("a", 1)
    small_run("b", 1, "--on", str(base))
    plain, on_base = (tmp_path / name / "checkpoint.pt" for name in "ab")
    last = tmp_path / "fourth.bin"
    third = read_correction(tmp_path / "third.bin")
    last.write_bytes(random_correction(tiny_gguf, seed=4, base=third).to_bytes())
    for path, words in ((foreign, "for another model"), (last, "the last of 4")):
        with pytest.raises(FileError, match=words):
            small_run("c", 1, "--on", str(path))
        with pytest.raises(SystemExit, match=words):
            run_pack(monkeypatch, plain, tmp_path / "out", "--on", path, "--model", tiny_gguf)
    with pytest.raises(SystemExit, match="was not trained on"):
        run_pack(monkeypatch, plain, tmp_path / "out", "--on", base, "--model", tiny_gguf)
    other = tmp_path / "other.bin"
    other.write_bytes(random_correction(tiny_gguf, seed=5).to_bytes())
    for choice in (other, "none"):
        with pytest.raises(SystemExit, match="was not trained on"):
            run_pack(monkeypatch, on_base, tmp_path / "out", "--on", choice, "--model", tiny_gguf)
    assert not (tmp_path / "out").exists()


def test_checkpoints_of_several_kinds_have_no_mean(
    small_run, tmp_path, tiny_gguf, base, monkeypatch
):
    small_run("plain", 1)
    small_run("on", 1, "--on", str(base))
    small_run("wide", 1, "--rank", "3")
    paths = {name: tmp_path / name / "checkpoint.pt" for name in ("plain", "on", "wide")}
    out = tmp_path / "mean.pt"

    def run_average(*names):
        given = [paths[name] for name in names]
        run_command(monkeypatch, "average", average, out, *given, "--model", tiny_gguf)

    for other, words in (("on", "several corrections"), ("wide", "several ranks")):
        with pytest.raises(SystemExit, match=words):
            run_average("plain", other)
    # One of before checkpoints said what they were trained on.
    state = torch.load(paths["on"], weights_only=True)
    del state["on"]
    paths["old"] = tmp_path / "old.pt"
    torch.save(state, paths["old"])
    for names in (("old", "on"), ("on", "old"), ("old", "plain")):
        with pytest.raises(SystemExit, match="not all say on which"):
            run_average(*names)
    assert not out.exists()
    run_average("old", "old")
    assert read_checkpoint(out, Gguf(tiny_gguf).shape).on is None
    run_average("on", "on")
    on = read_correction(base).sha256
    assert read_checkpoint(out, Gguf(tiny_gguf).shape).on == on


def test_packing_at_a_lower_rank(small_run, tmp_path, tiny_gguf, monkeypatch, capsys):
    small_run("a", 1)
    given = (tmp_path / "a" / "checkpoint.pt", tmp_path / "out", "--model", tiny_gguf)
    run_pack(monkeypatch, *given, "--rank", "1", "--largest", "7")
    found = read_correction(tmp_path / "out")
    assert {a.shape[1] for a in found.a.values()} == {1}
    assert {np.abs(a).max() for a in found.a.values()} == {7}
    with pytest.raises(SystemExit, match="rank 2, no more"):
        run_pack(monkeypatch, *given, "--rank", "3")
    for wrong in (("--rank", "0"), ("--largest", "128"), ("--largest", "x")):
        with pytest.raises(SystemExit) as caught:
            run_pack(monkeypatch, *given, *wrong)
        assert caught.value.code == 2 and wrong[0] in capsys.readouterr().err


def test_packing_with_equal_steps(small_run, tmp_path, tiny_gguf, monkeypatch, capsys):
    small_run("a", 4, "--rate", "0.02")
    checkpoint, out = tmp_path / "a" / "checkpoint.pt", tmp_path / "out"
    sizes = []
    for step, most in ((0.1, 0.05), (0.7, 0.35)):
        run_pack(monkeypatch, checkpoint, out, "--model", tiny_gguf, "--step", step)
        found = read_correction(out)
        sizes.append(out.stat().st_size)
        factors = read_checkpoint(checkpoint, found.shape).factors
        for name, a in factors.a.items():
            assert len(np.unique(found.scale[name][1])) == 1
            expected = SCALE * (factors.b[name][1] @ a[1]).numpy()
            error = found.merged(name, 1, np.zeros_like(expected)) - expected
            assert 0 < np.linalg.norm(error) < most * np.linalg.norm(expected)
    assert sizes[1] < 0.75 * sizes[0]
    for wrong in ("0", "5", "x"):
        with pytest.raises(SystemExit) as caught:
            run_pack(monkeypatch, checkpoint, out, "--step", wrong)
        assert caught.value.code == 2 and "--step" in capsys.readouterr().err


def test_shipping_gives_the_next_number_and_keeps_the_released(
    small_run, tmp_path, tiny_gguf, base, monkeypatch
):
    """A project of the tiny model, whose correction number 2 is `base`."""
    first = read_correction(base).sha256[:16]
    names = {}
    for name in ship.LISTED_IN:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = (ROOT / name).read_text("utf-8")
        names[name] = text.replace(KNOWN_MODELS[2].correction, first)
        path.write_text(names[name], "utf-8")
    monkeypatch.setattr(file_head, "SHIPPED", tmp_path)
    monkeypatch.setattr(ship, "ROOT", tmp_path)
    monkeypatch.setattr(ship, "RELEASED", 2)
    monkeypatch.setattr(ship, "default_model", lambda: describe(tiny_gguf))
    monkeypatch.setattr(ship, "shipped_path", lambda number: tmp_path / f"general-{number}.bin")
    known = {2: KNOWN_MODELS[2]._replace(correction=first)}
    monkeypatch.setattr(ship, "KNOWN_MODELS", known)
    small_run("a", 1, "--on", str(base))
    for steps in (1, 2):
        small_run("a", steps, "--on", str(base))
        run_command(monkeypatch, "ship", ship, tmp_path / "a" / "checkpoint.pt")
        new = read_correction(tmp_path / "general-3.bin")
        assert new.base and new.base.sha256[:16] == first
        for name, before in names.items():
            text = (tmp_path / name).read_text("utf-8")
            (line,) = [line for line in text.splitlines() if new.sha256[:16] in line]
            assert text == before.replace(
                (old := next(part for part in before.splitlines() if first in part)) + "\n",
                f"{old}\n{line}\n",
            )
            assert line == old.replace("2", "3", 1).replace(first, new.sha256[:16])
        known[3] = known[2]._replace(correction=new.sha256[:16])
    small_run("b", 1, "--on", str(tmp_path / "base.bin"))
    known[2] = known[2]._replace(correction="ab" * 8)
    with pytest.raises(SystemExit, match="not shipped"):
        run_command(monkeypatch, "ship", ship, tmp_path / "b" / "checkpoint.pt")


def test_what_is_no_checkpoint_is_refused(tmp_path, tiny_gguf, monkeypatch):
    bad = tmp_path / "bad"
    bad.write_bytes(b"no checkpoint")
    torch.save({"rank": 2}, tmp_path / "other.pt")
    torch.save(torch.zeros(3), tmp_path / "tensor.pt")
    for path in (bad, tmp_path / "missing", tmp_path / "other.pt", tmp_path / "tensor.pt"):
        with pytest.raises(SystemExit, match=f"can't read {path}"):
            run_pack(monkeypatch, path, tmp_path / "out", "--model", tiny_gguf)
    assert not (tmp_path / "out").exists()


def test_an_error_is_one_line(tmp_path, tiny_gguf):
    result = subprocess.run(
        [sys.executable, "-m", "nacrith.correction.train", tmp_path, "--model", tiny_gguf],
        capture_output=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "NACRITH_CORPORA": "/missing",
             "XDG_CACHE_HOME": str(tmp_path)},
        timeout=120,
    )  # fmt: skip
    assert_fails(result, 1, "Canterbury corpus is not here")
    assert result.stderr.count(b"\n") == 1
