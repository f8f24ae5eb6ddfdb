"""GGUF files with a vocabulary and no weights."""

from pathlib import Path

import gguf

from predictors.language_models.gguf_reader import GgufReader

UNKNOWN, USER_DEFINED, UNUSED = 2, 4, 5
"""Types of tokens, as the format numbers them."""


def new_writer(path: Path, tokenizer: str) -> gguf.GGUFWriter:
    """A writer of what must be there but for the tokens."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(32)
    writer.add_embedding_length(8)
    writer.add_block_count(1)
    writer.add_feed_forward_length(8)
    writer.add_head_count(1)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model(tokenizer)
    return writer


def write(writer: gguf.GGUFWriter) -> None:
    """Write the file, and close it."""
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()


def write_vocabulary(path: Path, source: GgufReader, pre: str, types=None, **strings) -> Path:
    """A GGUF with the vocabulary of `source` and nothing else but what must be there."""
    writer = new_writer(path, "gpt2")
    writer.add_tokenizer_pre(pre)
    tokens = strings.get("tokens") or source.strings("tokenizer.ggml.tokens")
    merges = strings.get("merges") or source.strings("tokenizer.ggml.merges")
    writer.add_token_list([token.decode() for token in tokens])
    writer.add_token_types(types or source.integers("tokenizer.ggml.token_type"))
    writer.add_token_merges([merge.decode() for merge in merges])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    write(writer)
    return path
