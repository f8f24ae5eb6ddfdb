"""The llama.cpp backend: streams, the sliding window, reset, bad models."""

import numpy as np
import pytest

from nacrith.models.import_checkpoint import import_checkpoint
from predictors.base import ModelError
from predictors.language_models.llama_cpp import LlamaCppModel, load_vocabulary
from predictors.language_models.probe import probe
from tests.gguf_files import new_writer, write
from tests.tiny_model import write_checkpoint

WINDOW, SINKS = 256, 4


def logits_of(model, tokens: np.ndarray, window: int = WINDOW) -> np.ndarray:
    """[T, S] tokens → [T, S, V] logits."""
    session = model.open(tokens.shape[1], window, SINKS)
    try:
        return np.array([session.step(row).copy() for row in tokens])
    finally:
        session.close()


@pytest.fixture(scope="module")
def tokens(tiny_model) -> np.ndarray:
    n = tiny_model.vocabulary.token_of_symbol.max()
    return np.random.default_rng(0).integers(3, n, (600, 3)).astype(np.int32)


def test_shape_and_type(tiny_model, tokens):
    logits = logits_of(tiny_model, tokens[:2])
    assert logits.dtype == np.float32
    assert (
        logits.shape[:2] == (2, 3) and logits.shape[2] > tiny_model.vocabulary.token_of_symbol.max()
    )


def test_the_same_steps_give_the_same_bits(tiny_model, tokens):
    session = tiny_model.open(3, WINDOW, SINKS)
    first = np.array([session.step(row).copy() for row in tokens[:300]])
    session.reset()
    again = np.array([session.step(row).copy() for row in tokens[:300]])
    session.close()
    assert (first == again).all()
    assert (first == logits_of(tiny_model, tokens[:300])).all()


def test_streams_do_not_see_each_other(tiny_model, tokens):
    together = logits_of(tiny_model, tokens[:400])
    for stream in range(3):
        alone = logits_of(tiny_model, tokens[:400, stream : stream + 1])[:, 0]
        # Float32 sums in another order; nothing else.
        assert np.abs(together[:, stream] - alone).max() < 2e-2 * np.abs(alone).max()


def test_the_number_of_threads_changes_no_bit(tiny_gguf, tiny_model, tokens):
    model = LlamaCppModel(tiny_gguf, threads=2)
    assert (logits_of(model, tokens[:300]) == logits_of(tiny_model, tokens[:300])).all()
    model.close()


def test_context_matters(tiny_model, tokens):
    changed = tokens[:20].copy()
    changed[0] = 3
    assert (logits_of(tiny_model, tokens[:20])[-1] != logits_of(tiny_model, changed)[-1]).any()


def test_sliding_keeps_the_sinks_and_forgets_the_oldest(tmp_path, tokens):
    """After a slide the logits are those of sinks + kept tokens, positions re-based.

    In a model of one layer the cached keys and values do not depend on earlier
    tokens, so a slide must equal computing the kept tokens afresh.
    """
    path = tmp_path / "one_layer.gguf"
    import_checkpoint(write_checkpoint(tmp_path / "checkpoint", layers=1), path, "f32")
    model = LlamaCppModel(path, threads=1, precise=True)
    column = tokens[: WINDOW + 1, :1]
    slid = logits_of(model, column)[-1, 0]
    kept = np.concatenate([column[:SINKS], column[SINKS + WINDOW // 4 :]])
    recomputed = logits_of(model, kept)[-1, 0]
    never_slid = logits_of(model, column, window=2 * WINDOW)[-1, 0]
    no_sinks = logits_of(model, column[WINDOW // 4 :])[-1, 0]
    model.close()
    assert np.abs(slid - recomputed).max() < 1e-4
    assert np.abs(never_slid - recomputed).max() > 1e-2
    assert np.abs(no_sinks - recomputed).max() > 1e-2


def test_the_window_slides_for_ever(tiny_model):
    n = tiny_model.vocabulary.token_of_symbol.max()
    tokens = np.random.default_rng(1).integers(3, n, (5 * WINDOW, 2)).astype(np.int32)
    logits = logits_of(tiny_model, tokens)
    assert np.isfinite(logits).all()
    # No drift: the spread of the logits stays what it was inside the first window.
    assert 0.8 < logits[-100:].std() / logits[:WINDOW].std() < 1.25


def test_probe_tells_models_and_shapes_apart(tiny_model, tmp_path):
    other_path = tmp_path / "other.gguf"
    import_checkpoint(write_checkpoint(tmp_path / "other", seed=1), other_path, "f32")
    other = LlamaCppModel(other_path, threads=1)
    probes = set()
    for model, streams in ((tiny_model, 1), (tiny_model, 2), (other, 1)):
        session = model.open(streams, WINDOW, SINKS)
        value = probe(session, model.vocabulary, streams)
        assert value == probe(session, model.vocabulary, streams)
        probes.add(value)
        session.close()
    other.close()
    assert len(probes) == 3


def test_numerics_name_this_machine(tiny_model):
    numerics = tiny_model.numerics
    assert numerics.backend == "llama.cpp" and numerics.threads == 1
    assert numerics.version and numerics.features


def test_a_window_longer_than_the_model_was_trained_for(tiny_model):
    with pytest.raises(ModelError, match="--window 2048 or less"):
        tiny_model.open(1, 4096, SINKS)


def test_too_many_streams(tiny_model):
    with pytest.raises(ModelError, match="streams"):
        tiny_model.open(100_000, WINDOW, SINKS)


def test_a_vocabulary_that_is_not_byte_level(tmp_path):
    path = tmp_path / "spm.gguf"
    writer = new_writer(path, "llama")
    writer.add_token_list(["<unk>", "<s>", "</s>", "a"])
    writer.add_token_scores([0.0] * 4)
    writer.add_token_types([2, 3, 3, 1])
    write(writer)
    with pytest.raises(ModelError, match="byte-level"):
        load_vocabulary(path)
