"""Importing a checkpoint that transformers made, against transformers' own logits."""

import json

import numpy as np
import pytest

from nacrith.errors import CheckpointError, FileError
from nacrith.models.import_checkpoint import import_checkpoint
from predictors.language_models.llama_cpp import LlamaCppModel
from predictors.language_models.transformers_lm import TransformersModel
from tests.tiny_model import MISSING_BYTES, WORDS, tokenizer_json, write_checkpoint


def test_the_vocabulary_is_the_tokenizers(tiny_model):
    vocabulary = tiny_model.vocabulary
    # Every byte once, and the words and their unfinished halves.
    assert {w.encode() for w in WORDS} <= set(vocabulary.spellings)
    borrowed = vocabulary.token_of_symbol < 3
    assert {vocabulary.spellings[i][0] for i in np.flatnonzero(borrowed)} == set(MISSING_BYTES)


@pytest.mark.parametrize(
    ("dtype", "stored", "tied", "tolerance"),
    [
        ("f32", "float32", True, 1e-3),
        ("f32", "bfloat16", False, 1e-3),
        ("f16", "float32", True, 2e-2),
    ],
)
def test_logits_are_those_of_transformers(tmp_path, dtype, stored, tied, tolerance):
    import torch
    import transformers

    torch.manual_seed(0)
    n = len(tokenizer_json()["model"]["vocab"])
    config = transformers.LlamaConfig(
        vocab_size=n, hidden_size=96, intermediate_size=128, num_hidden_layers=3,
        num_attention_heads=6, num_key_value_heads=3, max_position_embeddings=1024,
        tie_word_embeddings=tied, rope_theta=50000.0, bos_token_id=1, eos_token_id=2,
        initializer_range=0.2,
    )  # fmt: skip
    model = transformers.LlamaForCausalLM(config).to(getattr(torch, stored))
    directory = tmp_path / "checkpoint"
    model.save_pretrained(directory)
    (directory / "tokenizer.json").write_text(json.dumps(tokenizer_json()), "utf-8")
    path = tmp_path / "model.gguf"
    import_checkpoint(directory, path, dtype)

    ours = LlamaCppModel(path, threads=1, precise=True)
    reloaded = transformers.LlamaForCausalLM.from_pretrained(directory, dtype=torch.float32)
    theirs = TransformersModel(reloaded, ours.vocabulary, threads=1)
    tokens = np.random.default_rng(2).integers(3, n, (120, 2)).astype(np.int32)
    sessions = [m.open(2, 256, 4) for m in (ours, theirs)]
    for row in tokens:
        a, b = (session.step(row) for session in sessions)
        assert np.linalg.norm(a - b) <= tolerance * np.linalg.norm(b)
    for session in sessions:
        session.close()
    ours.close()


def test_transformers_reads_the_gguf_we_write_and_slides_the_same_way(tiny_gguf):
    ours = LlamaCppModel(tiny_gguf, threads=1, precise=True)
    theirs = TransformersModel.from_gguf(tiny_gguf, threads=1)
    assert theirs.vocabulary.spellings == ours.vocabulary.spellings
    n = theirs.vocabulary.token_of_symbol.max()
    tokens = np.random.default_rng(3).integers(3, n, (400, 2)).astype(np.int32)
    sessions = [m.open(2, 256, 4) for m in (ours, theirs)]
    for row in tokens:
        a, b = (session.step(row) for session in sessions)
        assert np.linalg.norm(a - b) <= 1e-3 * np.linalg.norm(b)
    for session in sessions:
        session.close()
    ours.close()


def edit(directory, file, **changes):
    path = directory / file
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda d: (d / "config.json").unlink(), "can't read"),
        (lambda d: (d / "config.json").write_text("{"), "not JSON"),
        (lambda d: edit(d, "config.json", architectures=["GPT2LMHeadModel"]), "LlamaForCausalLM"),
        (lambda d: edit(d, "config.json", attention_bias=True), "bias"),
        (lambda d: edit(d, "config.json", rope_scaling={"rope_type": "yarn"}), "yarn"),
        (lambda d: edit(d, "config.json", num_hidden_layers=3), "expected"),
        (lambda d: edit(d, "config.json", vocab_size=3), "malformed"),
        (lambda d: edit(d, "tokenizer.json", model={"type": "Unigram"}), "byte-level BPE"),
        (lambda d: (d / "model.safetensors").unlink(), "no .*safetensors"),
        (lambda d: (d / "model.safetensors").write_bytes(b"x" * 40), "damaged"),
    ],
)
def test_a_bad_checkpoint_is_refused_and_nothing_is_left(tmp_path, spoil, message):
    directory = write_checkpoint(tmp_path / "checkpoint")
    spoil(directory)
    with pytest.raises(CheckpointError, match=message):
        import_checkpoint(directory, tmp_path / "model.gguf", "f32")
    assert [p.name for p in tmp_path.iterdir()] == ["checkpoint"]


def test_it_does_not_overwrite(tmp_path, tiny_checkpoint):
    target = tmp_path / "model.gguf"
    target.write_text("mine")
    with pytest.raises(FileError, match="exists"):
        import_checkpoint(tiny_checkpoint, target, "f32")
    assert target.read_text() == "mine"
    import_checkpoint(tiny_checkpoint, target, "f32", force=True)
    assert target.read_bytes()[:4] == b"GGUF"
