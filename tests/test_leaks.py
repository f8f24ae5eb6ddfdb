"""No benchmark text has a part in training."""

import random

import pytest

import corpora
from corpora import training
from corpora.folders import folders
from corpora.leaks import RUN, Benchmarks
from nacrith.correction.documents import benchmarks

WORDS = [f"word{i}" for i in range(500)]


def text_of(seed, n=2000):
    return " ".join(random.Random(seed).choices(WORDS, k=n)).encode()


BENCHMARK = text_of(1)


def test_a_run_is_found_wherever_it_is_and_whatever_is_around_it():
    known = Benchmarks([text_of(2), BENCHMARK])
    source = random.Random(3)
    for _ in range(50):
        begin = source.randrange(len(BENCHMARK) - RUN)
        passage = BENCHMARK[begin : begin + RUN].strip()
        passage = BENCHMARK[begin : begin + 2 * RUN - len(passage)].strip()
        if len(passage) < RUN:
            continue
        hidden = b"#" * source.randrange(99) + passage + b"#" * 99
        assert known.shared(hidden) == [passage]


def test_a_run_wrapped_otherwise_is_found():
    passage = BENCHMARK[300:420].replace(b" ", b"\r\n   ")
    assert Benchmarks([BENCHMARK]).shared(b"Before. " + passage + b" After.")


def test_a_shorter_run_is_not_a_leak():
    known = Benchmarks([BENCHMARK])
    assert not known.shared(b"#" * 60 + BENCHMARK[5 : 5 + RUN - 1] + b"#" * 60)
    assert not known.shared(text_of(4))
    assert not known.shared(b"")
    assert not Benchmarks([]).shared(BENCHMARK)


def test_texts_are_not_joined_to_a_run():
    half = RUN // 2 + 5
    known = Benchmarks([b"a" * 3 + BENCHMARK[:half], BENCHMARK[half:]])
    assert not known.shared(b"#" * 60 + BENCHMARK[10 : 10 + RUN] + b"#" * 60)


def test_boilerplate_is_no_leak():
    stars = b"/" + b"*" * 80 + b"/"
    known = Benchmarks([stars + BENCHMARK])
    assert not known.shared(b"x" + stars + b"y")
    assert known.shared(b"x" + stars + b"y" + BENCHMARK[40:140])


def test_as_many_passages_as_asked_for():
    known = Benchmarks([BENCHMARK])
    text = b"####".join(BENCHMARK[i : i + 80] for i in range(0, 800, 80))
    assert [len(known.shared(text, most=n)) for n in (1, 3)] == [1, 3]


def test_no_text_of_the_manifest_shares_a_passage_with_a_benchmark():
    try:
        known, _ = benchmarks()
    except corpora.CorpusError as error:
        pytest.skip(str(error))
    checked = 0
    for split in (training.TRAIN, training.VALIDATION):
        for text, data in training.read(split):
            assert known.shared(data) == [], text.name
            checked += 1
    if not checked:
        pytest.skip("no training texts are here")
    here = {
        text.name
        for text in training.manifest()
        if any((folder / "training" / text.name).is_file() for folder in folders())
    }
    assert checked == len(here)


def test_the_manifest():
    texts = training.manifest()
    assert len(texts) == len({text.sha256 for text in texts}) == len({t.name for t in texts})
    kinds = {
        split: {text.kind for text in texts if text.split == split}
        for split in (training.TRAIN, training.VALIDATION)
    }
    assert kinds[training.TRAIN] == kinds[training.VALIDATION]
    assert len(texts) == sum(text.split in kinds for text in texts)
    for text in texts:
        assert text.name.startswith(text.kind + "/") and len(text.sha256) == 64 and text.licence
        if "research" in text.licence:
            assert text.split == training.VALIDATION


def test_a_changed_text_is_not_read(tmp_path, monkeypatch):
    text = training.manifest()[0]
    path = tmp_path / "training" / text.name
    path.parent.mkdir(parents=True)
    path.write_bytes(bytes(text.size))
    monkeypatch.setattr(training, "folders", lambda: [tmp_path])
    assert list(training.read(text.split)) == []
