"""`python -m nacrith.correction.count_ngrams FOLDER`: count what follows in the training texts.

Writes the table of `nacrith.codec.ngrams`: of each token what follows it most often, the same of
the pairs of tokens where knowing both makes for the most right guesses, and how far to trust what.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from corpora import training
from nacrith.codec.drafts import learn, new_drafts
from nacrith.codec.ngrams import SHARES, SHIPPED, Ngrams, no_ngrams
from nacrith.correction.command import run
from nacrith.correction.documents import Tokens, documents
from nacrith.models.catalog import default_model
from predictors.language_models.correction.samples import Samples
from predictors.language_models.exact.model_data import model_data

PAIRS = 1 << 17
"""That are kept. With half of them 18.0 % of the tokens of new prose are guessed right, with
these 18.5 %, with twice as many 19.0 %; by the token before alone, 14.6 %."""

_DOUBT = 2
"""Occurrences of a context without a follower that are added to those that were counted."""

_PIECES, _PIECE = 150, 1_500
"""The weights are learned on so many pieces of texts for each kind, of so many tokens."""

_BEFORE_MEAN = 1 / 3
"""Share of the pieces after which the weights' mean begins."""

Counts = npt.NDArray[np.int64]


def count(texts: Sequence[Tokens], n_tokens: int, n_pairs: int = PAIRS) -> Ngrams:
    """The table of some texts, without weights.

    Args:
        texts: tokens of each.
        n_tokens: V, of the vocabulary; at most 2**16.
        n_pairs: that are kept, at most.
    """
    contexts, followers, often, total = _likeliest([t[:-1] for t in texts], [t[1:] for t in texts])
    likeliest = np.zeros(n_tokens, dtype=np.uint16)
    state = np.zeros(n_tokens, dtype=np.uint8)
    likeliest[contexts], state[contexts] = followers, _states(often, total)

    pairs = [t[:-2].astype(np.int64) << 16 | t[1:-1] for t in texts]
    contexts, followers, often, total = _likeliest(pairs, [t[2:] for t in texts])
    second = contexts & 0xFFFF
    # Once is chance. What the second token alone would guess is no gain.
    gain = np.where(followers == likeliest[second], 0, often - 1)
    kept = np.sort(np.argsort(-gain, kind="stable")[: min(n_pairs, int((gain > 0).sum()))])
    first = contexts[kept] >> 16
    return no_ngrams()._replace(
        likeliest=likeliest,
        state=state,
        begins=np.searchsorted(first, np.arange(n_tokens + 1)).astype(np.int32),
        seconds=second[kept].astype(np.uint16),
        followers=followers[kept].astype(np.uint16),
        states=_states(often[kept], total[kept]),
    )


def with_weights(ngrams: Ngrams, texts: Mapping[str, Sequence[Tokens]]) -> Ngrams:
    """The table with the weights that drafts learn: their mean over pieces of many texts.

    Args:
        texts: by kind.

    Raises:
        ValueError: of a kind there is no text as long as a piece.
    """
    alike = dict.fromkeys(texts, 1.0)
    pieces = Samples(texts, alike, _PIECE, seed=0).draw(_PIECES * len(texts))
    history = []
    for piece in pieces:
        drafts = new_drafts(1, len(piece), 0, ngrams)
        for n, token in enumerate(piece):
            learn(drafts, 0, n, token)
        weights = {name: getattr(drafts, name) for name in ("says", "says_not", "bias")}
        ngrams = ngrams._replace(**weights)
        history.append(weights)
    history = history[int(len(history) * _BEFORE_MEAN) :]
    return ngrams._replace(
        **{name: np.mean([weights[name] for weights in history], axis=0) for name in history[0]}
    )


def _likeliest(
    contexts: Sequence[Counts | Tokens], following: Sequence[Tokens]
) -> tuple[Counts, Counts, Counts, Counts]:
    """(Contexts, ascending, what follows each most often, how often it does, and how often the
    context is there at all); of those that follow as often, the first token."""
    joined = [c.astype(np.int64) << 16 | f for c, f in zip(contexts, following, strict=True)]
    found, often = np.unique(np.concatenate(joined), return_counts=True)
    context = found >> 16
    # Ties stay in order.
    order = np.lexsort((-often, context))
    begins = np.flatnonzero(np.diff(context, prepend=-1))
    best = order[begins]
    return context[begins], found[best] & 0xFFFF, often[best], np.add.reduceat(often, begins)


def _states(often: Counts, total: Counts) -> npt.NDArray[np.uint8]:
    return np.searchsorted(SHARES, often / (total + _DOUBT), side="right").astype(np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m nacrith.correction.count_ngrams", description=__doc__
    )
    parser.add_argument("folder", type=Path, help="the tokens of texts are kept in its `tokens`")
    parser.add_argument("-o", "--output", type=Path, default=SHIPPED)
    arguments = parser.parse_args()
    vocabulary = model_data(default_model().path, 1).vocabulary
    found = documents(training.TRAIN, vocabulary, arguments.folder / "tokens", print)
    texts = [tokens for kind in sorted(found) for tokens in found[kind]]
    ngrams = with_weights(count(texts, 1 + int(vocabulary.token_of_symbol.max())), found)
    np.savez(arguments.output, vocabulary=vocabulary.digest, **ngrams._asdict())
    size = arguments.output.stat().st_size
    print(f"{arguments.output}: {size:,} bytes, of {sum(map(len, texts)):,} tokens")


if __name__ == "__main__":
    run("count_ngrams", main)
