"""The one loop of both directions: S streams, one token of each per step.

Encoding and decoding run this same code, and what decides a symbol's code differs in
nothing but `coder`: an encoder is told the next symbols, a decoder finds them out. Whatever
is learned is learned from the symbols that `Ensemble.code` leaves.

What differs besides is when the sessions learn of their tokens (`known`), which changes
the time that they take but not what they return. When encoding, all tokens are known
beforehand, and a backend may compute many steps at once. When decoding, the streams may
be cut into several sessions, which take turns: a session's next tokens are known one
turn before it needs them, so its backend can compute while the others' symbols are
coded. The order of coding does not depend on the cut.
"""

from collections.abc import Sequence
from itertools import pairwise, zip_longest

import numpy as np

from coder import Coder
from nacrith.codec.callbacks import DoneCallback, ignore
from predictors.base import IntArray, Session
from predictors.ensemble import Ensemble
from predictors.language_models.vocabulary import Vocabulary


def stream_bounds(n_symbols: int, n_streams: int) -> list[int]:
    """Cut n_symbols into S runs of equal length (± 1): S + 1 ascending bounds.

    The longer runs come first.
    """
    short, longer = divmod(n_symbols, n_streams)
    return [i * short + min(i, longer) for i in range(n_streams + 1)]


def fed_tokens(
    vocabulary: Vocabulary, symbols: IntArray, n_streams: int, prompt: IntArray
) -> IntArray:
    """The tokens that `code_streams` will feed to the sessions, [steps, S] int32."""
    bounds = stream_bounds(len(symbols), n_streams)
    tokens = np.empty((len(prompt) + bounds[1], n_streams), dtype=np.int32)
    tokens[:1] = vocabulary.start_token
    for stream in range(n_streams):
        read = np.concatenate([prompt, symbols[bounds[stream] : bounds[stream + 1]]])
        fed = vocabulary.token_of_symbol[read]
        # A shorter stream has one to spare in the last step, another has not.
        tokens[1:, stream] = fed[: len(tokens) - 1]
    return tokens


def code_streams(
    coder: Coder,
    sessions: Sequence[Session],
    vocabulary: Vocabulary,
    ensemble: Ensemble,
    symbols: IntArray,
    n_streams: int,
    prompt: IntArray,
    known: IntArray,
    on_progress: DoneCallback = ignore,
) -> None:
    """Code the streams of one frame.

    Args:
        coder: an encoder or a decoder.
        sessions: freshly reset; they divide the streams by `stream_bounds`.
        vocabulary: of the sessions' model.
        ensemble: untrained, for as many streams.
        symbols: [n] int32, cut by `stream_bounds`; read when encoding, filled in when decoding.
        n_streams: S.
        prompt: [p] int32, symbols that the model reads first, in every stream.
        known: what `fed_tokens` returns when encoding, [0, S] when decoding.
        on_progress: progress call-back.

    Raises:
        coder.ScoreError: the model returned a logit that is not finite.
    """
    bounds = stream_bounds(len(symbols), n_streams)
    tokens = np.full(n_streams, vocabulary.start_token, dtype=np.int32)
    parts = [range(*cut) for cut in pairwise(stream_bounds(n_streams, len(sessions)))]
    for session, part in zip(sessions, parts, strict=True):
        session.prefetch(known[:, part])
    _read_prompt(sessions, parts, tokens, vocabulary.token_of_symbol[prompt])
    turns = [(step, i) for step in range(bounds[1]) for i in range(len(sessions))]
    done = 0
    for (step, i), following in zip_longest(turns, turns[1:]):
        logits = sessions[i].step(tokens[parts[i]])
        hidden = sessions[i].hidden()
        if following and following[1] != i and not len(known):
            sessions[following[1]].prefetch(tokens[None, parts[following[1]]])
        # Only in the last step can streams have ended, the later ones; nothing reads what their
        # logits say.
        active = [s for s in parts[i] if bounds[s] + step < bounds[s + 1]]
        if active:
            places = [bounds[s] + step for s in active]
            n = len(active)
            states = None if hidden is None else hidden[:n]
            coded = symbols[places]
            ensemble.code(coder, active[0], logits[:n], states, coded)
            symbols[places] = coded
            tokens[active] = vocabulary.token_of_symbol[coded]
        done += len(active)
        on_progress(done)


def _read_prompt(
    sessions: Sequence[Session], parts: Sequence[range], tokens: IntArray, prompt: IntArray
) -> None:
    """Feed a prompt to every stream, but for its last token.

    Args:
        sessions, parts: which streams each has.
        tokens: [S] int32, the first token to feed; afterwards the next one.
        prompt: [p] int32 tokens.
    """
    for token in prompt:
        for session, part in zip(sessions, parts, strict=True):
            session.step(tokens[part])
        tokens[:] = token
