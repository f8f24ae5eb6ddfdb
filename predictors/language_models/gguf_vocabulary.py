"""The vocabulary of a GGUF, without llama.cpp.

Which symbols there are and their tokens is for both directions to agree on; of how the
tokenizer spells, only the prompts are (`nacrith.transforms.prompts`).
"""

from collections.abc import Callable
from pathlib import Path

from tokenizers import AddedToken, Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.pre_tokenizers import Sequence as InOrder

from predictors.base import ModelError
from predictors.language_models.bpe import Bpe, new_bpe
from predictors.language_models.byte_level import bytes_of_piece
from predictors.language_models.gguf_reader import GgufReader
from predictors.language_models.pre_tokenizers import PRE_TOKENIZERS, WHOLE_WORDS, cuts
from predictors.language_models.vocabulary import START_TEXT, Tokenize, Vocabulary

_CONTROL, _USER_DEFINED, _UNUSED = 3, 4, 5
"""Types of tokens."""


def load_vocabulary(path: Path) -> Vocabulary:
    """Read only the vocabulary of a GGUF.

    Raises:
        ModelError: the file is not a GGUF, or its vocabulary is not byte-level BPE.
    """
    return read_vocabulary(GgufReader(path))


def load_tokenizer(path: Path) -> Tokenize:
    """Read only the tokenizer of a GGUF whose vocabulary has been read before."""
    file = GgufReader(path)
    pre = file.scalar("tokenizer.ggml.pre", "default")
    if pre not in PRE_TOKENIZERS:
        return load_vocabulary(path).tokenize
    texts = file.strings("tokenizer.ggml.tokens")
    return _tokenizer(file, texts, file.integers("tokenizer.ggml.token_type"), pre)


def read_bpe(file: GgufReader) -> Bpe | None:
    """Tables of the tokenizer of a GGUF whose vocabulary has been read before, if there can be."""
    pre = file.scalar("tokenizer.ggml.pre", "default")
    if pre not in PRE_TOKENIZERS or _USER_DEFINED in file.integers("tokenizer.ggml.token_type"):
        return None
    texts = file.strings("tokenizer.ggml.tokens")
    token_of = {_decoded(text): token for token, text in enumerate(texts)}
    return new_bpe(pre, token_of, _merges(file))


def read_vocabulary(file: GgufReader) -> Vocabulary:
    """See `load_vocabulary`."""
    if file.scalar("tokenizer.ggml.model", "none") != "gpt2":
        raise ModelError(
            f"the vocabulary of {file.path} is not byte-level BPE, the only kind that "
            "spells any bytes; use a model with a GPT-2 style tokenizer "
            "(SmolLM2, Llama 3, Qwen, ...)"
        )
    pre = file.scalar("tokenizer.ggml.pre", "default")
    if pre not in PRE_TOKENIZERS:
        # llama.cpp has dozens of others.
        from predictors.language_models.llama_cpp import load_vocabulary as load_with_llama_cpp

        return load_with_llama_cpp(file.path)
    texts = file.strings("tokenizer.ggml.tokens")
    types = file.integers("tokenizer.ggml.token_type")
    if len(types) != len(texts):
        raise ModelError(f"the model {file.path} is damaged: not every token has a type")
    spellings = [_spelling(text, kind) for text, kind in zip(texts, types, strict=True)]
    return Vocabulary(spellings, _tokenizer(file, texts, types, pre), _start_token(file, texts))


def _spelling(text: bytes, kind: int) -> bytes | None:
    if kind in (_CONTROL, _UNUSED):
        return None
    if kind == _USER_DEFINED:
        return text
    return bytes_of_piece(_decoded(text))


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", errors="replace")


def _start_token(file: GgufReader, texts: list[bytes]) -> int:
    if START_TEXT in texts:
        return len(texts) - 1 - texts[::-1].index(START_TEXT)
    for name in ("tokenizer.ggml.bos_token_id", "tokenizer.ggml.eos_token_id"):
        token = int(file.scalar(name, -1))
        if 0 <= token < len(texts):
            return token
    return 0


def _tokenizer(
    file: GgufReader, texts: list[bytes], types: list[int], pre: str
) -> Callable[[bytes], list[int]]:
    pieces = [_decoded(text) for text in texts]
    try:
        model = BPE(
            {piece: token for token, piece in enumerate(pieces)},
            _merges(file),
            ignore_merges=pre in WHOLE_WORDS,
        )
    except Exception as error:  # The library raises nothing narrower.
        raise ModelError(f"the model {file.path} is damaged: {error}") from error
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = InOrder(
        [*cuts(pre), ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.add_tokens(
        [
            AddedToken(piece, normalized=False)
            for piece, kind in zip(pieces, types, strict=True)
            if kind == _USER_DEFINED
        ]
    )

    def tokenize(text: bytes) -> list[int]:
        # A cut at a byte without a token can leave a part of a character.
        tokens: list[int] = tokenizer.encode(_decoded(text), add_special_tokens=False).ids
        return tokens

    return tokenize


def _merges(file: GgufReader) -> list[tuple[str, str]]:
    return [_halves(_decoded(merge)) for merge in file.strings("tokenizer.ggml.merges")]


def _halves(merge: str) -> tuple[str, str]:
    """The pair of a merge; a space can only be the separator, as no piece holds one."""
    left, _, right = merge.partition(" ")
    return left, right
