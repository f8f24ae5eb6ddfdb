"""A correction of the weights: its file, its rounding, and that the exact backend merges it."""

import hashlib
import os
import zlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictors.base import ModelError
from predictors.language_models.correction import file_head
from predictors.language_models.correction.correction_file import read_correction
from predictors.language_models.correction.file_head import (
    HASHED_FROM,
    MAGIC,
    MAGIC_DEFLATED,
    MAGIC_ON,
    CorrectionFile,
    describe_correction,
)
from predictors.language_models.correction.merge import MAX_RANK, merged
from predictors.language_models.correction.pack import balanced, pack
from predictors.language_models.exact.model import ExactModel
from predictors.language_models.exact.model_data import model_data
from tests import exact_reference
from tests.correction_examples import random_correction, write_three, write_two
from tests.exact_reference import Reference

TOKENS = [0, 40, 77, 41, 200, 9, 258, 77]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "nacrith" / "models"


def logits(model):
    session = model.open(1, 256, 4)
    found = np.stack([session.step(np.array([t], np.int32))[0].copy() for t in TOKENS])
    model.close()
    return found


@given(st.integers(0, 1 << 32))
def test_merging_is_what_the_second_implementation_makes(seed):
    random = np.random.default_rng(seed)
    n, k, rank = random.integers(1, 40, 3)
    weights = random.standard_normal((n, k)).astype(np.float32)
    a = random.integers(-127, 128, (rank, k)).astype(np.int8)
    b = random.integers(-127, 128, (n, rank)).astype(np.int8)
    scale = np.exp(random.standard_normal(n) * 4).astype(np.float32)
    found = merged(weights, a, b, scale)
    assert found.dtype == np.float32
    assert np.array_equal(found, exact_reference.merged(weights, a, b, scale))


def test_the_largest_sums_are_exact():
    a = np.full((MAX_RANK, 3), 127, dtype=np.int8)
    b = np.full((2, MAX_RANK), -127, dtype=np.int8)
    b[1, 0] = -126
    found = merged(np.zeros((2, 3), np.float32), a, b, np.ones(2, np.float32))
    largest = MAX_RANK * 127 * 127
    assert found.tolist() == [[-largest] * 3, [127 - largest] * 3]
    assert largest < 1 << 24 <= largest + 127 * 127


def test_a_corrected_model_is_what_the_second_implementation_computes(gguf):
    correction = random_correction(gguf)
    found = logits(ExactModel(gguf, 1, correction))
    reference = Reference(gguf, 256, 4, correction=correction)
    assert np.array_equal(found, [reference.step(t) for t in TOKENS])
    assert not np.allclose(found, logits(ExactModel(gguf, 1)), atol=0.1)


def test_each_correction_is_kept_apart(gguf, cache):
    one, other = random_correction(gguf, seed=1), random_correction(gguf, seed=2)
    first = [logits(ExactModel(gguf, 1, c)) for c in (None, one, other)]
    assert len(list(cache.glob("*.arrays"))) == 3
    again = [logits(ExactModel(gguf, 1, c)) for c in (None, one, other)]
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))


def test_the_correction_of_another_model_is_refused(gguf, tmp_path):
    correction = random_correction(gguf)
    other = tmp_path / "other.gguf"
    other.write_bytes(gguf.read_bytes() + b"\0")
    with pytest.raises(ModelError, match="another model"):
        model_data(other, 1, correction)
    with pytest.raises(ModelError):
        model_data(tmp_path / "missing.gguf", 1, correction)


def test_a_file_survives(gguf, tmp_path):
    correction = random_correction(gguf)
    path = tmp_path / "correction.bin"
    path.write_bytes(correction.to_bytes())
    assert describe_correction(path) == CorrectionFile(path, correction.sha256, correction.model)
    found = read_correction(path)
    assert found.sha256 == correction.sha256
    assert (found.shape, found.model) == (correction.shape, correction.model)
    for part in ("a", "b", "scale"):
        ours, theirs = getattr(correction, part), getattr(found, part)
        assert all(np.array_equal(ours[name], theirs[name]) for name in ours)


def as_before(correction):
    """Its file as programs up to 0.7 wrote it."""
    return hashed(correction._hashed(), MAGIC_ON if correction.base else MAGIC)


def hashed(data, magic=MAGIC):
    """A file of these bytes behind the hash, with their hash."""
    return magic + hashlib.sha256(data).hexdigest().encode() + b"\n" + data


def test_bad_files_are_refused(gguf, tmp_path):
    whole = as_before(random_correction(gguf))
    behind = whole[HASHED_FROM:]
    end = behind.index(b"\n") + 1
    path = tmp_path / "correction.bin"
    bad = [
        b"",
        MAGIC,
        whole[: HASHED_FROM - 1],
        whole[: HASHED_FROM + end - 3],
        whole[:-1],
        whole + b"\0",
        b"x" + whole,
        whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:],
        whole[: len(MAGIC)] + b"0" * 64 + whole[HASHED_FROM - 1 :],
        hashed(behind[:-1]),
        hashed(behind + b"\0"),
        hashed(b"[]\n" + behind[end:]),
        hashed(behind.replace(b'"model": "', b'"model": "x')),
        hashed(behind.replace(b'"model": "', b'"other": "')),
        hashed(behind.replace(b'"ranks": [3', b'"ranks": [-3')),
        hashed(behind.replace(b'"ranks": [3', b'"ranks": [2000000')),
        hashed(behind.replace(b'"ranks": [3', b'"ranks": ["3"')),
        hashed(behind.replace(b'"shape": [2', b'"shape": [1.5')),
        hashed(behind.replace(b'"shape": [2', b'"shape": [-2')),
        hashed(behind.replace(b'"shape": [2', b'"shape": [2' + b"0" * 30)),
    ]
    for data in bad:
        path.write_bytes(data)
        with pytest.raises(ModelError, match="get it anew"):
            read_correction(path)
    for data in (*bad[:3], *bad[11:14]):
        path.write_bytes(data)
        with pytest.raises(ModelError, match="get it anew"):
            describe_correction(path)
    for read in (read_correction, describe_correction):
        with pytest.raises(ModelError, match="can't read"):
            read(tmp_path / "missing")
    with pytest.raises(ModelError, match="no correction"):
        describe_correction(tmp_path)


def test_only_the_corrections_made_last_are_kept(gguf, cache):
    for seed in range(5):
        ExactModel(gguf, 1, random_correction(gguf, seed=seed)).close()
        for path in cache.glob("*.arrays"):
            os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 10))
    ExactModel(gguf, 1).close()
    kept = [random_correction(gguf, seed=seed).sha256[:16] for seed in (2, 3, 4)]
    names = sorted(path.name.split("-")[0][33:] for path in cache.glob("*.arrays"))
    assert names == sorted(["", *kept])


def test_where_the_merged_weights_are_kept_only_the_head_is_read(gguf, tmp_path, monkeypatch):
    path = tmp_path / "correction.bin"
    path.write_bytes(random_correction(gguf).to_bytes())
    file = describe_correction(path)
    first = logits(ExactModel(gguf, 1, file))
    monkeypatch.setattr("predictors.language_models.correction.correction_file.factors_of", None)
    assert np.array_equal(logits(ExactModel(gguf, 1, file)), first)


def test_a_file_that_changes_while_it_is_used_is_refused(gguf, tmp_path):
    path = tmp_path / "correction.bin"
    path.write_bytes(random_correction(gguf).to_bytes())
    file = describe_correction(path)
    path.write_bytes(random_correction(gguf, seed=2).to_bytes())
    with pytest.raises(ModelError, match="changed"):
        ExactModel(gguf, 1, file)


def test_packing_loses_little():
    random = np.random.default_rng(1)
    strength = 0.7 ** np.arange(16)
    a = (random.standard_normal((16, 96)) * strength[:, None]).astype(np.float32)
    b = (random.standard_normal((64, 16)) * strength).astype(np.float32)
    integers_a, integers_b, scale = pack(a, b)
    assert np.abs(integers_a).max() == 127 and 126 <= np.abs(integers_b).max() <= 127
    found = merged(np.zeros((64, 96), np.float32), integers_a, integers_b, scale)
    error = np.linalg.norm(found - b @ a) / np.linalg.norm(b @ a)
    assert error < 0.015


def test_balanced_factors_have_the_same_product_and_even_columns():
    random = np.random.default_rng(1)
    strength = 0.5 ** np.arange(12)
    a = (random.standard_normal((12, 40)) * strength[:, None]).astype(np.float32)
    b = random.standard_normal((30, 12)).astype(np.float32)
    even_a, even_b = balanced(a, b)
    assert np.allclose(even_b @ even_a, b @ a, atol=1e-5)
    for columns in (even_a.T, even_b):
        norms = np.linalg.norm(columns, axis=0)
        assert norms.max() < 2.5 * norms.min()


def test_no_correction_is_packed_as_none():
    a, b, scale = pack(np.ones((4, 8), np.float32), np.zeros((6, 4), np.float32))
    assert np.array_equal(merged(np.eye(6, 8, dtype=np.float32), a, b, scale), np.eye(6, 8))


def test_one_builds_on_another(gguf, tmp_path):
    on = write_two(gguf, tmp_path)
    found = describe_correction(tmp_path / "on.bin")
    base = describe_correction(tmp_path / "base.bin")
    assert found == CorrectionFile(tmp_path / "on.bin", on.sha256, on.model, base)
    assert base.base is None
    assert found.size == sum(path.stat().st_size for path in tmp_path.glob("*.bin"))
    read = read_correction(tmp_path / "on.bin")
    assert read.base and (read.sha256, read.base.sha256) == (on.sha256, base.sha256)


@pytest.mark.parametrize(("write", "name"), [(write_two, "on.bin"), (write_three, "third.bin")])
def test_all_are_merged_in_turn_and_rounded_once(write, name, gguf, tmp_path):
    last = write(gguf, tmp_path)
    found = logits(ExactModel(gguf, 1, describe_correction(tmp_path / name)))
    reference = Reference(gguf, 256, 4, correction=last)
    assert np.array_equal(found, [reference.step(t) for t in TOKENS])
    for other in (last.base, replace(last, base=None), replace(last, base=last.base.base)):
        if other != last:
            assert not np.allclose(found, logits(ExactModel(gguf, 1, other)), atol=0.1)


def test_the_name_of_one_tells_what_it_builds_on(gguf):
    one, other = random_correction(gguf, seed=1), random_correction(gguf, seed=2)
    names = {random_correction(gguf, seed=3, base=base).sha256 for base in (None, one, other)}
    assert len(names) == 3


def test_what_one_builds_on_is_looked_for_among_those_shipped(gguf, tmp_path, monkeypatch):
    on, shipped = write_two(gguf, tmp_path), tmp_path / "shipped"
    assert on.base
    shipped.mkdir()
    (tmp_path / "base.bin").rename(shipped / "any.bin")
    path = tmp_path / "on.bin"
    for read in (read_correction, describe_correction):
        with pytest.raises(
            ModelError, match=f"builds on another correction, {on.base.sha256[:16]}"
        ):
            read(path)
    monkeypatch.setattr(file_head, "SHIPPED", shipped)
    base = describe_correction(shipped / "any.bin")
    assert describe_correction(path) == CorrectionFile(path, on.sha256, on.model, base)
    assert read_correction(path).sha256 == on.sha256


def test_what_one_builds_on_is_checked(gguf, tmp_path):
    write_two(gguf, tmp_path)
    base = (tmp_path / "base.bin").read_bytes()
    # Of others in the folder only the first bytes matter.
    (tmp_path / "a.bin").write_bytes(b"x")
    (tmp_path / "b.bin").mkdir()
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "c.bin")
    describe_correction(tmp_path / "on.bin")
    (tmp_path / "base.bin").write_bytes(base[:-1] + b"x")
    with pytest.raises(ModelError, match=r"base.bin is no correction .* get it anew"):
        read_correction(tmp_path / "on.bin")


def test_no_more_than_four(gguf, tmp_path):
    third = write_three(gguf, tmp_path)
    fourth = random_correction(gguf, seed=8, base=third)
    (tmp_path / "fourth.bin").write_bytes(fourth.to_bytes())
    assert read_correction(tmp_path / "fourth.bin").count == 4
    fifth = tmp_path / "fifth.bin"
    fifth.write_bytes(random_correction(gguf, seed=9, base=fourth).to_bytes())
    # Nor for ever, which their hashes would only tell when all is read.
    (tmp_path / "own").mkdir()
    own = tmp_path / "own" / "own.bin"
    named = b'{"model": "' + third.model.encode() + b'", "on": "' + b"ab" * 32 + b'"}'
    own.write_bytes(MAGIC_ON + b"ab" * 32 + b"\n" + named + b"\n")
    for path in (fifth, own):
        with pytest.raises(ModelError, match="only 4 can be merged"):
            describe_correction(path)
    with pytest.raises(ModelError, match="only 4 can be merged"):
        read_correction(fifth)


def test_both_must_be_of_one_model(gguf, tmp_path):
    base = replace(random_correction(gguf), model="ab" * 32)
    (tmp_path / "base.bin").write_bytes(base.to_bytes())
    (tmp_path / "on.bin").write_bytes(random_correction(gguf, base=base).to_bytes())
    for read in (read_correction, describe_correction):
        with pytest.raises(ModelError, match=r"on\.bin is no correction"):
            read(tmp_path / "on.bin")


def test_a_head_that_lies_about_what_it_builds_on(gguf, tmp_path):
    on = write_two(gguf, tmp_path)
    assert on.base
    behind = as_before(on)[HASHED_FROM:]
    head, _, factors = behind.partition(b"\n")
    path = tmp_path / "bad.bin"
    for changed in (
        head.replace(b'"on": "', b'"no": "'),
        head.replace(b'"on": "', b'"on": "x'),
        head.replace(b'"on": "' + on.base.sha256.encode() + b'"', b'"on": 3'),
    ):
        assert changed != head
        path.write_bytes(hashed(changed + b"\n" + factors, MAGIC_ON))
        for read in (read_correction, describe_correction):
            with pytest.raises(ModelError, match="get it anew"):
                read(path)


def test_files_of_before_are_the_same_corrections(gguf, tmp_path):
    alone = random_correction(gguf)
    on = random_correction(gguf, seed=2, base=alone)
    (tmp_path / "alone.bin").write_bytes(as_before(alone))
    path = tmp_path / "on.bin"
    path.write_bytes(as_before(on))
    before, described = read_correction(path), describe_correction(path)
    assert len(on.to_bytes()) < path.stat().st_size
    path.write_bytes(on.to_bytes())
    now = read_correction(path)
    assert before.sha256 == now.sha256 == on.sha256 and before.base and now.base
    assert describe_correction(path) == described
    for part in ("a", "b", "scale"):
        ours, theirs = getattr(before, part), getattr(now, part)
        assert all(np.array_equal(ours[name], theirs[name]) for name in ours)


def test_bad_compressed_files_are_refused(gguf, tmp_path):
    whole = random_correction(gguf).to_bytes()
    body = whole.index(b"\n", HASHED_FROM) + 1
    head, factors = whole[:body], whole[body:]
    inflater = zlib.decompressobj()
    integers = inflater.decompress(factors)
    scales = inflater.unused_data
    path = tmp_path / "bad.bin"
    bad = [
        head,
        whole[:-1],
        whole + b"x",
        head + factors[:9] + bytes([factors[9] ^ 1]) + factors[10:],
        head + zlib.compress(integers[:-1]) + scales,
        head + zlib.compress(integers + b"x") + scales,
        head + zlib.compress(integers[:-1] + bytes([integers[-1] ^ 1])) + scales,
        head + zlib.compress(integers) + zlib.compress(b""),
        head + scales,
        whole.replace(b'"ranks": [3', b'"ranks": [4'),
        whole.replace(b'"shape": [2', b'"shape": [3'),
        whole.replace(b'"shape": [2', b'"shape": [-2'),
        whole.replace(b'"shape": [2', b'"shape": [2' + b"0" * 30),
    ]
    for data in bad:
        path.write_bytes(data)
        with pytest.raises(ModelError, match="get it anew"):
            read_correction(path)
    # How it is compressed does not matter.
    path.write_bytes(head + zlib.compress(integers) + scales)
    assert read_correction(path).sha256 == random_correction(gguf).sha256


def test_an_older_program_does_not_take_it_for_one_alone(gguf):
    """It would merge what builds on another without that one."""
    on = random_correction(gguf, base=random_correction(gguf, seed=2))
    assert on.to_bytes().startswith(MAGIC_DEFLATED)
    assert MAGIC_DEFLATED not in (MAGIC, MAGIC_ON)
    assert len(MAGIC) == len(MAGIC_ON) == len(MAGIC_DEFLATED)


def test_where_two_merged_are_kept_only_the_heads_are_read(gguf, tmp_path, monkeypatch):
    write_two(gguf, tmp_path)
    file = describe_correction(tmp_path / "on.bin")
    first = logits(ExactModel(gguf, 1, file))
    monkeypatch.setattr("predictors.language_models.correction.correction_file.factors_of", None)
    assert np.array_equal(logits(ExactModel(gguf, 1, file)), first)


def test_packing_cuts_to_the_nearest_of_a_lower_rank():
    random = np.random.default_rng(1)
    a = random.standard_normal((12, 40)).astype(np.float32)
    b = random.standard_normal((30, 12)).astype(np.float32)
    left = np.linalg.svd(b @ a)[1][4:12]
    cut_a, cut_b = balanced(a, b, 4)
    assert (cut_a.shape, cut_b.shape) == ((4, 40), (30, 4))
    assert np.linalg.norm(cut_b @ cut_a - b @ a) == pytest.approx(np.linalg.norm(left), rel=1e-5)
    integers_a, integers_b, scale = pack(a, b, 4)
    assert (integers_a.shape, integers_b.shape) == ((4, 40), (30, 4))
    found = merged(np.zeros((30, 40), np.float32), integers_a, integers_b, scale)
    assert np.linalg.norm(found - cut_b @ cut_a) < 0.02 * np.linalg.norm(found)


def test_smaller_integers_and_scales_are_compressed_better():
    random = np.random.default_rng(1)
    a = random.standard_normal((16, 256)).astype(np.float32)
    b = random.standard_normal((128, 16)).astype(np.float32)
    sizes, errors = [], []
    for largest in (127, 31, 7):
        integers_a, integers_b, scale = pack(a, b, largest=largest)
        assert np.abs(integers_a).max() == largest
        assert largest - 1 <= np.abs(integers_b).max() <= largest
        assert not (scale.view(np.uint32) & 0xFFFF).any()
        packed = b"".join(part.tobytes() for part in (integers_a, integers_b, scale))
        sizes.append(len(zlib.compress(packed, 9)))
        found = merged(np.zeros((128, 256), np.float32), integers_a, integers_b, scale)
        errors.append(np.linalg.norm(found - b @ a) / np.linalg.norm(b @ a))
    assert sizes[2] < 0.8 * sizes[1] < 0.8 * 0.85 * sizes[0]
    assert errors[0] < 0.01 < errors[1] < 0.05 < errors[2] < 0.2
