"""The one loop of both directions: S streams, one token of each per step.

Encoding and decoding run this same code, and what decides a symbol's code differs in
nothing but `coder`: an encoder is told the next symbols, a decoder finds them out. Whatever
is learned is learned from the symbols that `Ensemble.code` leaves.

What differs besides is when the sessions learn of their tokens (`known`), which changes
the time that they take but not what they return. When encoding, all tokens are known
beforehand, and a backend may compute many steps at once. When decoding, the streams may
be cut into several sessions, which take turns: a session's next tokens are known one
turn before it needs them, so its backend can compute while the others' symbols are
coded. The order of coding does not depend on the cut. With one stream, the next tokens are
guessed (`Guesser`).

While the head is coded, which is the beginning of the first stream, the others read it too.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from coder import Coder
from nacrith.codec.guesser import Guesser
from nacrith.codec.layout import Layout
from predictors.base import FloatArray, IntArray, Session
from predictors.ensemble import Ensemble
from predictors.language_models.vocabulary import Vocabulary


def session_bounds(n_streams: int, n_sessions: int) -> list[int]:
    """Cut S streams into sessions of equally many (± 1): ascending bounds.

    The larger ones come first.
    """
    short, longer = divmod(n_streams, n_sessions)
    return [i * short + min(i, longer) for i in range(n_sessions + 1)]


def fed_tokens(
    vocabulary: Vocabulary, symbols: IntArray, layout: Layout, prompt: IntArray
) -> IntArray:
    """The tokens that `code_streams` will feed to the sessions, [steps, S] int32."""
    bounds = layout.bounds
    tokens = np.empty((len(prompt) + layout.steps, len(layout)), dtype=np.int32)
    tokens[:1] = vocabulary.start_token
    for stream in range(len(layout)):
        head = symbols[: layout.delay(stream)]
        read = np.concatenate([prompt, head, symbols[bounds[stream] : bounds[stream + 1]]])
        fed = vocabulary.token_of_symbol[read][: len(tokens) - 1]
        tokens[1 : len(fed) + 1, stream] = fed
        # A stream that has ended reads its last token again.
        tokens[len(fed) + 1 :, stream] = fed[-1:]
    return tokens


def code_streams(
    coder: Coder,
    sessions: Sequence[Session],
    vocabulary: Vocabulary,
    ensemble: Ensemble,
    symbols: IntArray,
    layout: Layout,
    prompt: IntArray,
    known: IntArray,
) -> Iterator[tuple[int, int]]:
    """Code the streams of one frame.

    Args:
        coder: an encoder or a decoder.
        sessions: freshly reset; they divide the streams by `session_bounds`.
        vocabulary: of the sessions' model.
        ensemble: untrained, for as many streams.
        symbols: [n] int32, read when encoding, filled in when decoding.
        layout: of the streams.
        prompt: [p] int32, symbols that the model reads first, in every stream.
        known: what `fed_tokens` returns when encoding, [0, S] when decoding.

    Yields:
        (step, symbols coded so far) after each step; whoever iterates may code something else
        with the coder in between, and may stop.

    Raises:
        coder.ScoreError: the model returned a logit that is not finite.
    """
    bounds = layout.bounds
    n_streams = len(layout)
    token_of = vocabulary.token_of_symbol
    tokens = np.full(n_streams, vocabulary.start_token, dtype=np.int32)
    parts = [range(*cut) for cut in pairwise(session_bounds(n_streams, len(sessions)))]
    for session, part in zip(sessions, parts, strict=True):
        session.prefetch(known[:, part])
    _read_prompt(sessions, parts, tokens, token_of[prompt])
    guesser = None if len(known) or n_streams > 1 else Guesser(len(symbols))
    # No list: damage may claim any number of steps.
    turns = ((step, i) for step in range(layout.steps) for i in range(len(sessions)))
    last = (layout.steps - 1, len(sessions) - 1)
    done = 0
    for step, i in turns:
        part = parts[i]
        if guesser:
            sessions[i].guess(token_of[guesser.guess()][:, None])
        logits = sessions[i].step(tokens[part])
        hidden = sessions[i].hidden()
        following = (i + 1) % len(sessions)
        if following != i and (step, i) != last and not len(known):
            sessions[following].prefetch(tokens[None, parts[following]])
        coding = [stream for stream in part if layout.codes(stream, step)]
        for run in _runs(coding):
            places = [bounds[stream] + step - layout.delay(stream) for stream in run]
            states = None if hidden is None else _rows_of(run, hidden, part)
            coded = symbols[places]
            ensemble.code(coder, run.start, _rows_of(run, logits, part), states, coded)
            symbols[places] = coded
            tokens[run.start : run.stop] = token_of[coded]
        done += len(coding)
        if step < layout.head:
            # The other streams read what the first one has coded in this step.
            tokens[max(1, part.start) : part.stop] = token_of[symbols[step]]
        if guesser:
            guesser.update(int(symbols[step]))
        if i == len(sessions) - 1:
            yield step, done


def _runs(streams: Sequence[int]) -> Iterator[range]:
    """The ascending streams as ranges of neighbors."""
    first = 0
    for i in range(1, len(streams) + 1):
        if i == len(streams) or streams[i] != streams[i - 1] + 1:
            yield range(streams[first], streams[i - 1] + 1)
            first = i


def _rows_of(run: range, rows: FloatArray, part: range) -> FloatArray:
    """The rows of some streams of a session, which has the streams `part`.

    Args:
        rows: [streams of the session, n], or [1, n] while all of them have read the same.
    """
    if len(rows) < len(part):
        return np.repeat(rows, len(run), axis=0)
    return rows[run.start - part.start : run.stop - part.start]


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
