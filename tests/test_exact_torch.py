"""The exact backend in PyTorch: its logits are those of the kernels and of the specification."""

import numpy as np
import pytest

from nacrith.models.import_checkpoint import import_checkpoint
from predictors.base import ModelError
from predictors.language_models.exact.model import ExactModel
from tests.correction_examples import random_correction
from tests.exact_reference import Reference
from tests.tiny_model import write_checkpoint
from tests.torch_devices import DEVICES, torch

WINDOW, SINKS = 64, 4
TOKENS = np.random.default_rng(1).integers(3, 270, 150).astype(np.int32)

# Dimensions that are multiples of what products take, and others; one head, one KV head, as many
# KV heads as heads, wide gated layers, a part of a block of gates.
SHAPES = {
    "tiny": {},
    "one KV head": {"hidden": 48, "ffn_size": 100, "heads": 6, "kv_heads": 1, "layers": 1},
    "one head": {"hidden": 40, "ffn_size": 64, "heads": 1, "kv_heads": 1},
    "as many": {"hidden": 120, "ffn_size": 68, "heads": 3, "kv_heads": 3, "layers": 3},
    "wide": {"hidden": 576, "ffn_size": 1536, "heads": 9, "kv_heads": 3, "layers": 1},
}


def torch_model(*arguments, **options):
    from predictors.language_models.exact_torch.model import TorchModel

    return TorchModel(*arguments, **options)


@pytest.fixture(scope="module", params=DEVICES)
def model(request, tiny_gguf):
    return torch_model(tiny_gguf, threads=1, device=request.param)


@pytest.fixture(scope="module")
def kernels(tiny_gguf):
    model = ExactModel(tiny_gguf, threads=1)
    yield model
    model.close()


def steps(session, tokens):
    """[n, S] tokens: logits of all steps, and the hidden states."""
    logits, hidden = [], []
    for row in tokens:
        logits.append(session.step(row).copy())
        hidden.append(session.hidden().copy())
    return np.array(logits), np.array(hidden)


@pytest.fixture(scope="module")
def expected(kernels):
    return steps(kernels.open(1, WINDOW, SINKS), TOKENS[:, None])


def assert_equal(found, expected):
    """To the bit: also the sign of a zero."""
    for a, b in zip(found, expected, strict=True):
        assert np.array_equal(a.view(np.int32), b.view(np.int32))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    ("name", "version"), [*((name, "3") for name in SHAPES), ("tiny", "1"), ("wide", "1")]
)
def test_random_models_of_many_shapes(tmp_path, name, version, device):
    gguf = tmp_path / "random.gguf"
    checkpoint = write_checkpoint(tmp_path / "checkpoint", seed=len(name), **SHAPES[name])
    import_checkpoint(checkpoint, gguf, "f32")
    kernels = ExactModel(gguf, threads=1, version=version)
    model = torch_model(gguf, threads=1, device=device, version=version)
    assert model.numerics == kernels.numerics
    fed = np.random.default_rng(2).integers(3, 270, (60, 2)).astype(np.int32)
    for window, sinks in ((32, 4), (32, 0), (48, 17)):
        expected = steps(kernels.open(2, window, sinks), fed)
        session = model.open(2, window, sinks, ahead=7)
        assert_equal(steps(session, fed), (expected[0], expected[1]))
        session.reset()
        session.prefetch(fed)
        assert_equal(steps(session, fed), expected)
    kernels.close()


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    ("version", "sinks"), [("3", SINKS), ("3", 1), ("3", 16), ("1", SINKS), ("1", 16)]
)
def test_it_equals_the_specification(tiny_gguf, device, version, sinks):
    reference = Reference(tiny_gguf, WINDOW, sinks, version=version)
    model = torch_model(tiny_gguf, threads=1, device=device, version=version)
    session = model.open(1, WINDOW, sinks)
    for token in TOKENS[:100]:
        assert np.array_equal(session.step(token[None])[0], reference.step(token))
        assert np.array_equal(session.hidden()[0], reference.hidden)


@pytest.mark.parametrize("ahead", [1, 2, 7, 64, 150])
def test_many_tokens_at_once(model, expected, ahead):
    session = model.open(1, WINDOW, SINKS, ahead)
    session.prefetch(TOKENS[:, None])
    assert_equal(steps(session, TOKENS[:, None]), expected)


@pytest.mark.parametrize("streams", [2, 5])
def test_streams_do_not_touch_each_other(model, expected, streams, monkeypatch):
    from predictors.language_models.exact_torch import passes

    # The attention of two streams or so at a time.
    monkeypatch.setattr(passes, "_ATTENTION_BYTES", 1 << 18)
    others = np.random.default_rng(2).integers(3, 270, (len(TOKENS), streams)).astype(np.int32)
    others[:, streams // 2] = TOKENS
    for ahead in (1, 3):
        session = model.open(streams, WINDOW, SINKS, ahead)
        if ahead > 1:
            session.prefetch(others)
        logits, hidden = steps(session, others)
        middle = slice(streams // 2, streams // 2 + 1)
        assert_equal((logits[:, middle], hidden[:, middle]), expected)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("on_another", [False, True])
@pytest.mark.parametrize("version", ["3", "2"])
def test_with_a_correction(tiny_gguf, device, on_another, version):
    base = random_correction(tiny_gguf, seed=2) if on_another else None
    correction = random_correction(tiny_gguf, base=base)
    fed = TOKENS[:40, None]
    with_kernels = ExactModel(tiny_gguf, 1, correction, version)
    expected = steps(with_kernels.open(1, WINDOW, SINKS), fed)
    model = torch_model(tiny_gguf, 1, correction, device, version)
    assert_equal(steps(model.open(1, WINDOW, SINKS), fed), expected)
    assert model.numerics == with_kernels.numerics
    reference = Reference(tiny_gguf, WINDOW, SINKS, correction=correction, version=version)
    assert np.array_equal([reference.step(token) for token in fed[:, 0]], expected[0][:, 0])
    with_kernels.close()


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("is_corrected", [False, True])
def test_the_real_model(real_gguf, device, is_corrected):
    from nacrith.models.corrections import default_corrected

    correction = default_corrected().correction if is_corrected else None
    kernels = ExactModel(real_gguf, 0, correction)
    fed = np.random.default_rng(4).integers(100, 40_000, (4, 2)).astype(np.int32)
    expected = steps(kernels.open(2, 1024, 4), fed)
    session = torch_model(real_gguf, 0, correction, device).open(2, 1024, 4)
    assert_equal(steps(session, fed[:2]), (expected[0][:2], expected[1][:2]))
    session.prefetch(fed[2:])
    assert_equal(steps(session, fed[2:]), (expected[0][2:], expected[1][2:]))
    kernels.close()


def test_a_reset_forgets_everything(model, expected):
    session = model.open(1, WINDOW, SINKS, 8)
    session.prefetch(TOKENS[::-1][:, None])
    steps(session, TOKENS[::-1][:100, None])
    session.reset()
    assert_equal(steps(session, TOKENS[:, None]), expected)


@pytest.mark.parametrize("rounds_up", [False, True])
def test_a_narrower_session_goes_on(model, expected, rounds_up):
    fed = np.repeat(TOKENS[:, None], 7, axis=1)
    fed[:, 1:] = fed[::-1, 1:]
    session = model.open(7, WINDOW, SINKS, 2)
    session._rounds_up = rounds_up
    found = []
    begin = 0
    for streams, end in ((7, 80), (3, 82), (1, 150)):
        session.narrow(streams)
        rows = steps(session, fed[begin:end, :streams])
        assert rows[0].shape[1] == streams
        found.append([part[:, :1] for part in rows])
        begin = end
    assert session._evaluator.widths == ({7, 4, 1} if rounds_up else {7, 3, 1})
    for i in range(2):
        assert_equal([np.concatenate([part[i] for part in found])], [expected[i]])


@pytest.mark.parametrize("read", [1, 17, WINDOW - 1])
def test_what_was_read_is_restored(model, expected, read):
    first = model.open(1, WINDOW, SINKS)
    steps(first, TOKENS[:read, None])
    saved = first.save()
    session = model.open(3, WINDOW, SINKS, 5)
    steps(session, np.repeat(TOKENS[::-1, None], 3, axis=1))
    for _ in range(2):
        session.restore(saved)
        found = steps(session, np.repeat(TOKENS[read:, None], 3, axis=1))
        for stream in range(3):
            some = [part[:, stream : stream + 1] for part in found]
            assert_equal(some, [part[read:] for part in expected])


def test_other_tokens_than_prefetched_are_refused(model):
    session = model.open(1, WINDOW, SINKS, 8)
    session.prefetch(TOKENS[:8, None])
    session.step(TOKENS[:1])
    with pytest.raises(ValueError, match="prefetched"):
        session.step(TOKENS[1:2] + 1)


def test_a_guess_changes_nothing(model, expected):
    session = model.open(1, WINDOW, SINKS, 8)
    session.guess(TOKENS[::-1][:5, None])
    assert_equal(steps(session, TOKENS[:10, None]), [part[:10] for part in expected])


def test_a_window_beyond_the_training_is_refused(model):
    with pytest.raises(ModelError, match="--window"):
        model.open(1, 1 << 17, SINKS)


@pytest.mark.parametrize("device", DEVICES)
def test_a_value_that_is_not_finite_is_an_error(tmp_path, device):
    from safetensors.numpy import load_file, save_file

    checkpoint = write_checkpoint(tmp_path / "checkpoint")
    weights = checkpoint / "model.safetensors"
    tensors = load_file(weights)
    for value in (np.nan, np.inf):
        tensors["model.norm.weight"] = np.full_like(tensors["model.norm.weight"], value)
        save_file(tensors, weights, metadata={"format": "pt"})
        gguf = tmp_path / f"{value}.gguf"
        import_checkpoint(checkpoint, gguf, "f32")
        session = torch_model(gguf, threads=1, device=device).open(1, WINDOW, SINKS)
        with pytest.raises(ModelError, match="not finite"):
            session.step(TOKENS[:1])


@pytest.mark.parametrize(
    ("name", "words"),
    [("gpu", "cuda:N"), ("cuda:x", "cuda:N"), ("cuda:99", "no GPU|no device cuda:99")],
)
def test_devices_that_are_not_there(tiny_gguf, name, words):
    with pytest.raises(ModelError, match=words):
        torch_model(tiny_gguf, device=name)


def test_steps_of_several_devices_may_be_in_one_process(tiny_gguf, expected):
    """CPU devices stand in for GPUs."""
    sessions = [torch_model(tiny_gguf, 1).open(1, WINDOW, SINKS) for _ in range(2)]
    for i, token in enumerate(TOKENS[:10]):
        for session in sessions:
            assert_equal([session.step(token[None])], [expected[0][i]])


def test_memory_that_runs_out_is_said(model, tiny_gguf, monkeypatch):
    from predictors.language_models.exact_torch import model as module
    from predictors.language_models.exact_torch.memory import DeviceMemoryError

    def full(*arguments):
        raise torch.OutOfMemoryError("full")

    session = model.open(1, WINDOW, SINKS)
    with monkeypatch.context() as patch:
        patch.setattr(module, "new_cache", full)
        with pytest.raises(DeviceMemoryError, match="fewer streams"):
            model.open(1, WINDOW, SINKS)
        patch.setattr(session._evaluator, "run", full)
        with pytest.raises(DeviceMemoryError, match="fewer streams"):
            session.step(TOKENS[:1])
        patch.setattr(module, "network_on", full)
        with pytest.raises(DeviceMemoryError, match="weights"):
            torch_model(tiny_gguf)


@pytest.mark.parametrize("problem", ["no compiler\nat all", "", None])
def test_kernels_that_fail_are_not_used(model, problem, monkeypatch, caplog):
    """Whatever they raise (here by a text), or if they round otherwise (None)."""
    from coder.messages import say_once
    from predictors.language_models.exact_torch import passes
    from predictors.language_models.exact_torch import trial as trials

    class Gpu:
        type = "cuda"

    def trial(data, network):
        if problem:
            raise RuntimeError(problem)
        return problem is not None

    say_once.cache_clear()
    monkeypatch.setattr(trials, "fused_are_exact", trial)
    network = model._network._replace(embedding=type("Weights", (), {"device": Gpu()}))
    chosen = trials.passes_for(model._data, network)
    assert chosen is (passes.fused_passes if problem == "" else passes.plain_passes)
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == (problem != "")
    if problem:
        assert "(no compiler)" in said[0]
