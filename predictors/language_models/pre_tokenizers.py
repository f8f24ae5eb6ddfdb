"""How a text is cut into words before byte-level BPE, by the name that a GGUF has for it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers.pre_tokenizers import PreTokenizer

# The contractions are spelled out in both cases: folded, `s` would also match U+017F.
_CONTRACTIONS = "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])"
_DIGIT = r"\p{N}"
# Radford et al. 2019.
_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
# Llama 3, with the most digits that a word may have.
_LLAMA3 = (
    _CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}%s| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)

PRE_TOKENIZERS: dict[str, tuple[str, ...]] = {
    "gpt-2": (_GPT2,),
    "smollm": (_DIGIT, _GPT2),
    "llama-bpe": (_LLAMA3 % "{1,3}",),
    "qwen2": (_LLAMA3 % "",),
}
"""Regular expressions of the words; each cuts what those before it have left or found."""

WHOLE_WORDS = {"llama-bpe"}
"""Those with which a word that is a token is never merged from smaller ones."""


def cuts(name: str) -> "list[PreTokenizer]":
    """The steps, one after the other, that cut a text as one of `PRE_TOKENIZERS` says."""
    # Only for who encodes: importing the library takes a while.
    from tokenizers import Regex
    from tokenizers.pre_tokenizers import Split

    return [Split(Regex(pattern), "isolated") for pattern in PRE_TOKENIZERS[name]]
