"""A Hugging Face Llama checkpoint directory → one GGUF file.

Reads config.json, tokenizer.json and the safetensors files; writes with the
`gguf` library. Query and key rows are reordered: the checkpoint rotates the two
halves of a head against each other (Su et al. 2021, as transformers lays it
out), llama.cpp rotates neighbouring pairs.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nacrith.errors import CheckpointError
from nacrith.system.files import open_output

_DTYPES: dict[str, np.dtype[Any]] = {
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "F64": np.dtype("<f8"),
}

# Pre-tokenizers that llama.cpp knows by name, recognized by a part of the regular
# expression in tokenizer.json.
_PRE_TOKENIZER_PATTERNS = {
    r"\p{N}{1,3}": "llama-bpe",
    r"\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*": "qwen2",
}


def import_checkpoint(directory: Path, output: Path, dtype: str, force: bool = False) -> None:
    """Write a GGUF.

    Args:
        directory: the checkpoint.
        output: GGUF path.
        dtype: "f32" or "f16", for matrices; vectors stay float32.
        force: overwrite.

    Raises:
        CheckpointError: files are missing or of a kind that is not supported.
    """
    import gguf

    config = _read_json(directory / "config.json")
    tokenizer = _read_json(directory / "tokenizer.json")
    if "LlamaForCausalLM" not in config.get("architectures", []):
        raise CheckpointError(
            f"{directory} holds {config.get('architectures')}, only LlamaForCausalLM is supported"
        )
    if config.get("attention_bias") or config.get("mlp_bias"):
        raise CheckpointError(f"{directory}: layers with a bias are not supported")
    with open_output(output, force) as sink:
        writer = gguf.GGUFWriter(None, "llama")
        try:
            _add_hyperparameters(writer, config, directory.resolve().name, dtype)
            _add_vocabulary(writer, tokenizer, config)
            _add_tensors(writer, directory, config, dtype)
        except (KeyError, IndexError, TypeError) as error:
            raise CheckpointError(
                f"{directory}: a field is missing or malformed: {error}"
            ) from error
        # The library opens the file itself, by the name of the temporary one.
        writer.write_header_to_file(path=Path(sink.name))
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise CheckpointError(f"can't read {path}: {error.strerror}") from error
    except ValueError as error:
        raise CheckpointError(f"{path} is not JSON: {error}") from error
    return content


def _add_hyperparameters(writer: Any, config: dict[str, Any], name: str, dtype: str) -> None:
    import gguf

    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    kind = rope.get("rope_type") or rope.get("type") or "default"
    if kind != "default":
        raise CheckpointError(f"RoPE scaling of type {kind} is not supported")
    heads = config["num_attention_heads"]
    head_size = config.get("head_dim") or config["hidden_size"] // heads
    writer.add_name(name)
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(config.get("num_key_value_heads") or heads)
    writer.add_rope_dimension_count(head_size)
    writer.add_key_length(head_size)
    writer.add_value_length(head_size)
    writer.add_rope_freq_base(float(rope.get("rope_theta") or config.get("rope_theta") or 10000.0))
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_vocab_size(config["vocab_size"])
    types = {"f32": gguf.LlamaFileType.ALL_F32, "f16": gguf.LlamaFileType.MOSTLY_F16}
    writer.add_file_type(types[dtype])


def _add_vocabulary(writer: Any, tokenizer: dict[str, Any], config: dict[str, Any]) -> None:
    import gguf

    model = tokenizer["model"]
    if model.get("type") != "BPE":
        raise CheckpointError(
            f"the tokenizer is {model.get('type')}, only byte-level BPE is supported"
        )
    size = config["vocab_size"]
    pieces = [f"[UNUSED_{i}]" for i in range(size)]
    types = [gguf.TokenType.UNUSED] * size
    for piece, token in model["vocab"].items():
        pieces[token], types[token] = piece, gguf.TokenType.NORMAL
    for added in tokenizer.get("added_tokens", []):
        kind = gguf.TokenType.CONTROL if added["special"] else gguf.TokenType.USER_DEFINED
        pieces[added["id"]], types[added["id"]] = added["content"], kind
    merges = [m if isinstance(m, str) else " ".join(m) for m in model["merges"]]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(_pre_tokenizer(tokenizer.get("pre_tokenizer")))
    writer.add_token_list(pieces)
    writer.add_token_types(types)
    writer.add_token_merges(merges)
    for key, add in (
        ("bos_token_id", writer.add_bos_token_id),
        ("eos_token_id", writer.add_eos_token_id),
    ):
        token = config.get(key)
        if isinstance(token, list):
            token = token[0] if token else None
        if token is not None:
            add(token)
    writer.add_add_bos_token(False)


def _pre_tokenizer(described: dict[str, Any] | None) -> str:
    """llama.cpp's name of a pre-tokenizer.

    A wrong name would only cost compression: how the tokens spell the input is
    checked. Hence the plain GPT-2 one for whatever is not recognized.
    """
    parts = (described or {}).get("pretokenizers") or [described or {}]
    if any(part.get("type") == "Digits" and part.get("individual_digits") for part in parts):
        return "smollm"
    patterns = " ".join(str(part.get("pattern", {}).get("Regex", "")) for part in parts)
    for pattern, name in _PRE_TOKENIZER_PATTERNS.items():
        if pattern in patterns:
            return name
    return "gpt-2"


def _add_tensors(writer: Any, directory: Path, config: dict[str, Any], dtype: str) -> None:
    import gguf

    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config["num_hidden_layers"])
    heads = config["num_attention_heads"]
    kv_heads = config.get("num_key_value_heads") or heads
    tied = config.get("tie_word_embeddings", False)
    found = 0
    for name, tensor in _tensors(directory):
        if name.endswith("rotary_emb.inv_freq") or (tied and name == "lm_head.weight"):
            continue
        target = names.get_name(name, try_suffixes=(".weight",))
        if target is None:
            raise CheckpointError(f"{directory}: unknown tensor {name}")
        if re.search(r"\.q_proj\.", name):
            tensor = _interleave(tensor, heads)
        elif re.search(r"\.k_proj\.", name):
            tensor = _interleave(tensor, kv_heads)
        narrow = dtype == "f16" and tensor.ndim > 1
        writer.add_tensor(target, tensor.astype(np.float16 if narrow else np.float32))
        found += 1
    # Embedding, final norm, nine per layer, and the output matrix if it is not tied.
    expected = 2 + 9 * config["num_hidden_layers"] + (not tied)
    if found != expected:
        raise CheckpointError(f"{directory}: {found} tensors found, {expected} expected")


def _interleave(matrix: npt.NDArray[Any], heads: int) -> npt.NDArray[Any]:
    """Rows of each head from (first half, second half) to neighbouring pairs."""
    rows, columns = matrix.shape
    halves = matrix.reshape(heads, 2, rows // heads // 2, columns)
    return halves.swapaxes(1, 2).reshape(rows, columns)


def _tensors(directory: Path) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    """Yield (name, float array) of all safetensors files, bfloat16 widened to float32."""
    from safetensors import SafetensorError, deserialize

    paths = sorted(directory.glob("*.safetensors"))
    if not paths:
        raise CheckpointError(f"{directory} has no *.safetensors file")
    for path in paths:
        try:
            entries: list[tuple[str, dict[str, Any]]] = deserialize(path.read_bytes())
        except SafetensorError as error:
            raise CheckpointError(f"{path} is damaged: {error}") from error
        for name, entry in sorted(entries, key=lambda item: item[0]):
            kind: str = entry["dtype"]
            shape, data = entry["shape"], entry["data"]
            if kind == "BF16":
                # A bfloat16 is the upper half of a float32.
                wide = np.frombuffer(data, dtype="<u2").astype(np.uint32) << 16
                yield name, wide.view(np.float32).reshape(shape)
            elif kind in _DTYPES:
                yield name, np.frombuffer(data, dtype=_DTYPES[kind]).reshape(shape)
            else:
                raise CheckpointError(f"{path}: tensor {name} is of type {kind}, not supported")
