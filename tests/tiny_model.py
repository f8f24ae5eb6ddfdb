"""A tiny random Llama checkpoint, written to disk as a real one would be."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from nacrith.models.import_checkpoint import import_checkpoint
from predictors.language_models.byte_level import CHARACTER_OF_BYTE

# Bytes without a token, as in real vocabularies.
MISSING_BYTES = (0x04, 0x13, 0xC0, 0xF5, 0xFF)
CONTROL_TOKENS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
WORDS = ("the", "and", " the", " of", " to", "ing", "\n\n", "    ", "é", "😀")

CONFIG: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "hidden_act": "silu",
    "max_position_embeddings": 2048,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "tie_word_embeddings": True,
    "attention_bias": False,
    "mlp_bias": False,
    "bos_token_id": 1,
    "eos_token_id": 2,
}


def tokenizer_json() -> dict:
    """A byte-level BPE tokenizer with a few merges and missing bytes."""
    vocab: dict[str, int] = {}
    for token in CONTROL_TOKENS:
        vocab[token] = len(vocab)
    for byte in range(256):
        if byte not in MISSING_BYTES:
            vocab[CHARACTER_OF_BYTE[byte]] = len(vocab)
    merges = []
    for word in WORDS:
        pieces = [CHARACTER_OF_BYTE[byte] for byte in word.encode("utf-8")]
        left = pieces[0]
        for right in pieces[1:]:
            if left + right not in vocab:
                merges.append([left, right])
                vocab[left + right] = len(vocab)
            left += right
    return {
        "version": "1.0",
        "added_tokens": [
            {"id": vocab[t], "content": t, "special": True, "single_word": False,
             "lstrip": False, "rstrip": False, "normalized": False}
            for t in CONTROL_TOKENS
        ],
        "normalizer": None,
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                {"type": "Digits", "individual_digits": True},
                {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True,
                 "use_regex": True},
            ],
        },
        "model": {"type": "BPE", "vocab": vocab, "merges": merges},
    }  # fmt: skip


def write_checkpoint(
    directory: Path,
    seed: int = 0,
    layers: int = 2,
    hidden: int = 64,
    ffn_size: int = 96,
    heads: int = 4,
    kv_heads: int = 2,
) -> Path:
    """Write config.json, tokenizer.json and model.safetensors; return the directory."""
    directory.mkdir(parents=True, exist_ok=True)
    tokenizer = tokenizer_json()
    vocab_size = len(tokenizer["model"]["vocab"])
    config = {
        **CONFIG,
        "vocab_size": vocab_size,
        "num_hidden_layers": layers,
        "hidden_size": hidden,
        "intermediate_size": ffn_size,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
    }
    (directory / "config.json").write_text(json.dumps(config), "utf-8")
    (directory / "tokenizer.json").write_text(json.dumps(tokenizer), "utf-8")
    random = np.random.default_rng(seed)
    kv = hidden * config["num_key_value_heads"] // config["num_attention_heads"]

    def matrix(rows: int, columns: int) -> np.ndarray:
        return (random.standard_normal((rows, columns)) / np.sqrt(columns)).astype(np.float32)

    tensors = {
        "model.embed_tokens.weight": 3 * matrix(config["vocab_size"], hidden),
        "model.norm.weight": np.ones(hidden, np.float32),
    }
    for layer in range(config["num_hidden_layers"]):
        prefix = f"model.layers.{layer}."
        tensors |= {
            prefix + "input_layernorm.weight": np.ones(hidden, np.float32),
            prefix + "post_attention_layernorm.weight": np.ones(hidden, np.float32),
            prefix + "self_attn.q_proj.weight": matrix(hidden, hidden),
            prefix + "self_attn.k_proj.weight": matrix(kv, hidden),
            prefix + "self_attn.v_proj.weight": matrix(kv, hidden),
            prefix + "self_attn.o_proj.weight": matrix(hidden, hidden),
            prefix + "mlp.gate_proj.weight": matrix(ffn_size, hidden),
            prefix + "mlp.up_proj.weight": matrix(ffn_size, hidden),
            prefix + "mlp.down_proj.weight": matrix(hidden, ffn_size),
        }
    save_file(tensors, directory / "model.safetensors", metadata={"format": "pt"})
    return directory


def write_tiny_model(directory: Path) -> Path:
    """Write the checkpoint and the GGUF of it below `directory`; return the GGUF's path."""
    path = directory / "tiny.gguf"
    import_checkpoint(write_checkpoint(directory / "checkpoint"), path, "f32")
    return path
