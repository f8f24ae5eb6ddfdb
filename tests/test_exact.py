"""The exact backend: equal to the bit in every way that it can be run."""

from pathlib import Path

import numpy as np
import pytest

from predictors.base import ModelError, UnsupportedModelError
from predictors.language_models.exact.exp2 import write_exp2_negative
from predictors.language_models.exact.gguf_file import Gguf
from predictors.language_models.exact.model import ExactModel
from predictors.language_models.exact.panels import OFFSET
from predictors.language_models.exact.product import multiply_tile, pack
from predictors.language_models.exact.rope_tables import cos_sin_table, rope_frequencies
from predictors.language_models.exact.tiles import MAX_ROWS
from predictors.language_models.exact.weights import activation_bits, interleaved, quantize
from tests.exact_reference import Reference, float32_product
from tests.tiny_model import write_checkpoint

WINDOW, SINKS = 64, 4
TOKENS = np.random.default_rng(1).integers(3, 270, 150).astype(np.int32)


@pytest.fixture(scope="module")
def model(tiny_gguf):
    model = ExactModel(tiny_gguf, threads=2)
    yield model
    model.close()


def step_by_step(model, tokens=TOKENS, sinks=SINKS):
    session = model.open(1, WINDOW, sinks)
    return np.array([session.step(token[None])[0].copy() for token in tokens])


@pytest.fixture(scope="module")
def logits(model):
    return step_by_step(model)


@pytest.mark.parametrize(
    ("version", "sinks"), [("3", SINKS), ("3", 1), ("3", 16), ("1", SINKS), ("1", 16)]
)
def test_it_equals_the_specification(tiny_gguf, version, sinks):
    """Past the end of the window, so that the ring has gone round."""
    reference = Reference(tiny_gguf, WINDOW, sinks, version=version)
    model = ExactModel(tiny_gguf, threads=2, version=version)
    session = model.open(1, WINDOW, sinks, ahead=2)
    for token in TOKENS:
        assert np.array_equal(session.step(token[None])[0], reference.step(token))
        assert np.array_equal(session.hidden()[0], reference.hidden)
    model.close()


def torch_matmul(weights, values):
    import torch

    return torch.mv(torch.from_numpy(weights), torch.from_numpy(values)).numpy()


def backwards(weights, values):
    return np.matmul(weights[:, ::-1], values[::-1])


@pytest.mark.parametrize("matmul", [np.matmul, torch_matmul, backwards])
def test_float32_products_give_the_same(tiny_gguf, logits, matmul):
    def product(weights, values):
        return float32_product(weights, values, matmul)

    reference = Reference(tiny_gguf, WINDOW, SINKS, product)
    for token, expected in zip(TOKENS[:20], logits, strict=False):
        assert np.array_equal(reference.step(token), expected)


@pytest.mark.parametrize("ahead", [2, 7, 64, 150])
def test_many_tokens_at_once(model, logits, ahead):
    session = model.open(1, WINDOW, SINKS, ahead)
    session.prefetch(TOKENS[:, None])
    assert np.array_equal([session.step(t[None])[0].copy() for t in TOKENS], logits)


@pytest.mark.parametrize("streams", [2, 5, 9])
def test_streams_do_not_touch_each_other(model, logits, streams):
    session = model.open(streams, WINDOW, SINKS, 3)
    others = np.random.default_rng(2).integers(3, 270, (len(TOKENS), streams)).astype(np.int32)
    others[:, streams // 2] = TOKENS
    session.prefetch(others)
    assert np.array_equal([session.step(t)[streams // 2].copy() for t in others], logits)


@pytest.mark.parametrize("together", [1, 20, 30, 100])
@pytest.mark.parametrize("ahead", [1, 5])
@pytest.mark.parametrize("prefetched", [False, True])
def test_streams_that_read_the_same_are_computed_once(model, logits, together, ahead, prefetched):
    """The streams part after some tokens, also when the window has gone round before."""
    fed = np.repeat(TOKENS[:, None], 3, axis=1)
    fed[together:, [0, 2]] = TOKENS[::-1][: len(TOKENS) - together, None]
    other = model.open(1, WINDOW, SINKS)
    expected, states = [], []
    for tokens in fed:
        expected.append(other.step(tokens[:1])[0].copy())
        states.append(other.hidden()[0].copy())
    session = model.open(3, WINDOW, SINKS, ahead)
    for _ in range(2):
        if prefetched:
            session.prefetch(fed)
        for i, tokens in enumerate(fed):
            rows = session.step(tokens)
            assert len(rows) == len(session.hidden()) == (1 if i < together else 3)
            assert np.array_equal(rows[0], expected[i]) and np.array_equal(rows[-1], expected[i])
            assert np.array_equal(rows[len(rows) // 2], logits[i])
            hidden = session.hidden()
            assert np.array_equal(hidden[0], states[i]) and np.array_equal(hidden[-1], states[i])
        session.reset()


@pytest.mark.parametrize("streams", [1, 2])
def test_guesses_change_nothing(model, logits, streams):
    random = np.random.default_rng(3)
    other = model.open(1, WINDOW, SINKS)
    states = []
    for token in TOKENS:
        other.step(token[None])
        states.append(other.hidden()[0].copy())
    session = model.open(streams, WINDOW, SINKS, ahead=8)
    for _ in range(2):
        for i, token in enumerate(TOKENS):
            guess = TOKENS[i + 1 : i + 1 + random.integers(0, 12)].copy()
            if len(guess) and random.random() < 0.5:
                guess[random.integers(0, len(guess)) :] += 1
            session.guess(np.repeat(guess[:, None], streams, axis=1))
            rows = session.step(np.full(streams, token, dtype=np.int32))
            assert np.array_equal(rows[-1], logits[i])
            assert np.array_equal(session.hidden()[-1], states[i])
        session.reset()


def test_right_guesses_are_evaluated_together(model):
    session = model.open(1, WINDOW, SINKS, ahead=8)
    begun = []
    begin = session._begin

    def noted(tokens):
        begun.append(len(tokens))
        begin(tokens)

    session._begin = noted
    for i, token in enumerate(TOKENS[:16]):
        session.guess(TOKENS[i + 1 : i + 8, None])
        session.step(token[None])
    assert begun == [8, 8]


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_change_nothing(tiny_gguf, logits, threads):
    model = ExactModel(tiny_gguf, threads=threads)
    assert np.array_equal(step_by_step(model, TOKENS[:30]), logits[:30])
    model.close()


def test_a_reset_forgets_everything(model, logits):
    session = model.open(1, WINDOW, SINKS, 8)
    session.prefetch(TOKENS[::-1][:, None])
    for token in TOKENS[::-1][:100]:
        session.step(token[None])
    session.reset()
    assert np.array_equal([session.step(t[None])[0].copy() for t in TOKENS], logits)


@pytest.mark.parametrize("threads", [1, 2])
def test_what_is_prefetched_is_evaluated_meanwhile(tiny_gguf, logits, threads):
    model = ExactModel(tiny_gguf, threads=threads)
    sessions = [model.open(1, WINDOW, SINKS) for _ in range(2)]
    steps = [(session, token[None]) for token in TOKENS for session in sessions]
    for i, (session, token) in enumerate(steps):
        row = session.step(token)[0]
        if i + 1 < len(steps):
            following, known = steps[i + 1]
            following.prefetch(known[None])
            # The helper needs nobody; without one nothing happens yet.
            for helper in following._job.helpers:
                helper.result(timeout=30)
            assert len(following._job.helpers) == threads - 1
        assert np.array_equal(row, logits[i // 2])
    model.close()


def test_a_reset_forgets_what_has_begun(model, logits):
    session = model.open(1, WINDOW, SINKS, 8)
    session.prefetch(TOKENS[::-1][:8, None])
    session.reset()
    assert np.array_equal([session.step(t[None])[0].copy() for t in TOKENS[:20]], logits[:20])


def test_other_tokens_than_prefetched_are_refused(model):
    session = model.open(1, WINDOW, SINKS, 8)
    session.prefetch(TOKENS[:8, None])
    session.step(TOKENS[:1])
    with pytest.raises(ValueError, match="prefetched"):
        session.step(TOKENS[1:2] + 1)


def test_it_is_close_to_llama_cpp(model, tiny_model, logits):
    session = tiny_model.open(1, 256, SINKS)
    for token, expected in zip(TOKENS[:WINDOW], logits, strict=False):
        distance = session.step(token[None])[0] - expected
        assert np.linalg.norm(distance) < 0.06 * np.linalg.norm(expected)


@pytest.mark.parametrize("kind", ["F16", "Q8_0", "Q4_0", "Q4_1", "Q4_K_M", "Q6_K"])
def test_every_type_of_weights(tmp_path, kind):
    """llama.cpp makes the file and computes with it; the exact logits are near its own."""
    import llama_cpp as ll

    from nacrith.models.import_checkpoint import import_checkpoint
    from predictors.language_models.llama_cpp import LlamaCppModel

    wide = tmp_path / "wide.gguf"
    checkpoint = write_checkpoint(tmp_path / "checkpoint", hidden=256, ffn_size=512)
    import_checkpoint(checkpoint, wide, "f32")
    path = tmp_path / f"{kind}.gguf"
    params = ll.llama_model_quantize_default_params()
    params.ftype = getattr(ll, f"LLAMA_FTYPE_MOSTLY_{kind}")
    assert ll.llama_model_quantize(str(wide).encode(), str(path).encode(), params) == 0
    theirs = LlamaCppModel(path, threads=1).open(1, 256, SINKS)
    ours = ExactModel(path, threads=1).open(1, 256, SINKS)
    assert kind[:3] in {t.tensor_type.name[:3] for t in Gguf(path).reader.tensors.values()}
    for token in TOKENS[:10]:
        expected = theirs.step(token[None])[0]
        distance = ours.step(token[None])[0] - expected
        assert np.linalg.norm(distance) < 0.06 * np.linalg.norm(expected)


def test_the_real_model_equals_the_specification(real_gguf):
    reference = Reference(real_gguf, 1024, 4)
    model = ExactModel(real_gguf)
    session = model.open(1, 1024, 4)
    for token in (0, 504, 28000):
        assert np.array_equal(
            session.step(np.array([token], dtype=np.int32))[0], reference.step(token)
        )
    model.close()


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5, 6, 11])
def test_products_are_exact_at_the_limits(rows):
    """The largest weights and values there are, at every number of rows."""
    k = 512
    random = np.random.default_rng(rows)
    weights = random.choice(np.array([-127, 127, 3], dtype=np.int8), (32, k))
    weights[0], weights[1] = 127, -127
    values = random.choice(np.array([-32767, 32767, 1], dtype=np.int32), (rows, k))
    values[0] = 32767
    panels = np.ascontiguousarray(weights.reshape(2, 16, k // 4, 4).transpose(0, 2, 1, 3))
    packed = np.zeros((rows, 2 * k), dtype=np.uint8)
    for row, out in zip(values, packed, strict=True):
        pack(row, k, OFFSET, out)
    sums = np.zeros((max(rows, MAX_ROWS), 32), dtype=np.int32)
    multiply_tile(
        rows,
        panels.ctypes.data,
        k * 16,
        k // 4,
        packed.ctypes.data,
        2 * k,
        k,
        sums.ctypes.data,
        128,
        panels.ctypes.data,
        k * 16,
    )
    offset = OFFSET * weights.astype(np.int64).sum(axis=1)
    expected = values.astype(np.int64) @ weights.astype(np.int64).T
    assert np.array_equal((sums[:rows] - offset).astype(np.int32), expected.astype(np.int32))
    assert np.abs(expected).max() > 2**30


def test_activations_get_as_many_bits_as_fit():
    light = np.ones((4, 100), dtype=np.int8)
    heavy = np.full((4, 4096), 127, dtype=np.int8)
    assert activation_bits(light) == 15
    bits = activation_bits(heavy)
    assert ((1 << bits) - 1) * 127 * 4096 < 1 << 31 <= ((1 << (bits + 1)) - 1) * 127 * 4096


def test_weights_are_rounded_by_rows():
    weights = np.array([[1, -2, 0.5], [0, 0, 0], [1e-3, 1e-3, -1e-3]], dtype=np.float32)
    integers, scale = quantize(weights)
    assert integers.tolist() == [[64, -127, 32], [0, 0, 0], [127, 127, -127]]
    assert np.allclose(integers * scale[:, None], weights, rtol=0.01)


def test_gates_lie_beside_what_they_gate():
    order = interleaved(20)
    assert order[:32].tolist() == [*range(16), *range(20, 36)]
    assert order[32:].tolist() == [*range(16, 20), *[40] * 12, *range(36, 40), *[40] * 12]


def test_cosines_and_sines_are_correctly_rounded():
    import mpmath

    mpmath.mp.prec = 150
    for bits in (12, 24):
        table = cos_sin_table(bits, 4096)
        for j in (0, 1, 2, 1000, 1024, 4095):
            angle = 2 * mpmath.pi * j / 2**bits
            exact = (mpmath.cos(angle), mpmath.sin(angle))
            assert table[j].tolist() == [float(mpmath.nint(x * 2**100) / 2**100) for x in exact]


def test_frequencies():
    found = rope_frequencies(10000.0, 4)
    assert found.tolist() == [round(2**32 / (2 * np.pi) * 10.0**-i) for i in range(4)]
    assert rope_frequencies(10000.0, 4, np.array([1, 2, 4, 8]))[1] == round(found[1] / 2)


def test_exp2_is_near_and_falls():
    found = np.zeros(40_000, dtype=np.int32)
    write_exp2_negative(found)
    assert found[0] == 1 << 30
    assert np.all(np.diff(found) <= 0)
    assert np.allclose(found / 2**30, 2.0 ** (-np.arange(40_000) / 4096), rtol=3e-5, atol=2.0**-29)


def test_other_architectures_are_left_to_llama_cpp(tmp_path, tiny_gguf):
    import gguf

    path = tmp_path / "other.gguf"
    writer = gguf.GGUFWriter(path, "gpt2")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(UnsupportedModelError, match="gpt2"):
        Gguf(path)


@pytest.mark.parametrize("keep", [3, 24, 200, 5000])
def test_a_damaged_gguf_is_an_error(tmp_path, tiny_gguf, keep):
    path = Path(tmp_path / "cut.gguf")
    path.write_bytes(tiny_gguf.read_bytes()[:keep])
    with pytest.raises(ModelError):
        ExactModel(path)


def test_a_window_beyond_the_training_is_refused(model):
    with pytest.raises(ModelError, match="--window"):
        model.open(1, 1 << 17, SINKS)
