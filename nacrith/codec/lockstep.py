"""The one loop of both directions: S streams, one token of each per step.

The streams are those of one text, or of several short ones side by side: each of these has a
coder and an ensemble of its own, a *group*, and nothing but the model's steps is shared.

Encoding and decoding run this same code, and what decides a symbol's code differs in
nothing but `coder`: an encoder is told the next symbols, a decoder finds them out. Whatever
is learned is learned from the symbols that `Ensemble.code` leaves.

What differs besides is when the sessions learn of their tokens (`known`), which changes
the time that they take but not what they return. When encoding, all tokens are known
beforehand, and a backend may compute many steps at once. When decoding, the streams may
be cut into several sessions, which take turns: a session's next tokens are known one
turn before it needs them, so its backend can compute while the others' symbols are
coded. The order of coding does not depend on the cut. With few streams, the next tokens are
guessed (`Guesser`).

While the head is coded, which is the beginning of the first stream, the others read it too.

Groups share nothing but the model's steps, so what they have in a step may be coded by as many
threads: where a GPU evaluates many streams, one processor core would hold it up.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, wait
from dataclasses import dataclass
from functools import partial
from itertools import accumulate, pairwise
from typing import cast

import numpy as np

from coder import Coder
from nacrith.codec.guesser import MAX_STREAMS, Guesser
from nacrith.codec.layout import Layout
from nacrith.codec.ngrams import ngrams_of
from nacrith.codec.step_cost import clock
from predictors.base import BatchSession, FloatArray, IntArray, Session
from predictors.ensemble import Ensemble
from predictors.language_models.vocabulary import Vocabulary


def session_bounds(n_streams: int, n_sessions: int) -> list[int]:
    """Cut S streams into sessions of equally many (± 1): ascending bounds.

    The larger ones come first.
    """
    short, longer = divmod(n_streams, n_sessions)
    return [i * short + min(i, longer) for i in range(n_sessions + 1)]


@dataclass
class Group:
    """The streams of one text, which share a coder and all that is learned.

    Attributes:
        coder: an encoder or a decoder.
        ensemble: as it is before the first symbol, for as many streams.
        symbols: [n] int32, read when encoding, filled in when decoding.
        layout: of the streams.
        done: symbols coded so far.
        is_lost: nothing more is to be coded; whoever finds damage sets it.
    """

    coder: Coder
    ensemble: Ensemble
    symbols: IntArray
    layout: Layout
    done: int = 0
    is_lost: bool = False

    def __post_init__(self) -> None:
        self.bounds = self.layout.bounds
        self._steps = self.layout.steps

    def goes_on(self, step: int) -> bool:
        """Is there something to code in this step or in a later one?"""
        return step < self._steps and not self.is_lost


class _Part:
    """A session, and those of all streams that it has.

    Attributes:
        session: fed with streams `begin` .. `end` - 1 of all there are.
        groups: each with the place of its first stream among all.
    """

    def __init__(self, session: Session, streams: range, groups: Sequence[Group]) -> None:
        self.session = session
        self.begin, self.end = streams.start, streams.stop
        places = [0, *accumulate(len(group.layout) for group in groups)]
        self.groups = [
            (group, place)
            for group, place in zip(groups, places, strict=False)
            if place < self.end and place + len(group.layout) > self.begin
        ]

    def end_before(self, step: int, narrows: bool) -> None:
        """Give up the last groups of which nothing is left to code from this step on.

        Args:
            narrows: their streams are no longer fed, either; not where they were prefetched.
        """
        while self.groups and not self.groups[-1][0].goes_on(step):
            _, place = self.groups.pop()
            if not narrows:
                continue
            self.end = max(place, self.begin)
            if self.groups:
                cast(BatchSession, self.session).narrow(self.end - self.begin)


def first_tokens(vocabulary: Vocabulary, prompt: IntArray) -> IntArray:
    """The tokens in front of each stream, [1 + p] int32: the start token, then a prompt."""
    tokens = vocabulary.token_of_symbol[prompt]
    return np.concatenate([[vocabulary.start_token], tokens]).astype(np.int32)


def fed_tokens(
    vocabulary: Vocabulary, symbols: IntArray, layout: Layout, read: IntArray, steps: int = 0
) -> IntArray:
    """The tokens that `code_groups` will feed to the sessions, [steps, S] int32.

    Args:
        steps: of the longest of several texts side by side.
        read: [r ≥ 1] int32 tokens, see there.
    """
    bounds = layout.bounds
    tokens = np.empty((len(read) - 1 + max(steps, layout.steps), len(layout)), dtype=np.int32)
    for stream in range(len(layout)):
        head = symbols[: layout.delay(stream)]
        own = np.concatenate([head, symbols[bounds[stream] : bounds[stream + 1]]])
        fed = np.concatenate([read, vocabulary.token_of_symbol[own]])[: len(tokens)]
        tokens[: len(fed), stream] = fed
        # A stream that has ended reads its last token again.
        tokens[len(fed) :, stream] = fed[-1:]
    return tokens


def code_groups(
    groups: Sequence[Group],
    sessions: Sequence[Session],
    vocabulary: Vocabulary,
    read: IntArray,
    known: IntArray,
    threads: Executor | None = None,
    guesses: bool = True,
) -> Iterator[int]:
    """Code the streams of a text, or of several texts side by side.

    Args:
        groups: one of each text; S streams have they together. Of several, those that end first
            are best the last of a session (`session_bounds`), which then is a `BatchSession`.
        sessions: they divide the streams by `session_bounds`. What they have read already is
            in front of `read`.
        vocabulary: of the sessions' model.
        read: [r ≥ 1] int32 tokens that the model reads first, in every stream; the first symbol
            is what follows the last of them.
        known: what `fed_tokens` returns when encoding, of several texts side by side; [0, S] when
            decoding.
        threads: those that code the groups of a step, at once; None = this one, in turn.
        guesses: False = none are made, to see what they save.

    Yields:
        The step, after each; whoever iterates may code something else with the coders in
        between, and may stop.

    Raises:
        coder.ScoreError: the model returned a logit that is not finite.
    """
    n_streams = sum(len(group.layout) for group in groups)
    token_of = vocabulary.token_of_symbol
    tokens = np.full(n_streams, read[0], dtype=np.int32)
    cuts = pairwise(session_bounds(n_streams, len(sessions)))
    parts = [
        _Part(session, range(*cut), groups) for session, cut in zip(sessions, cuts, strict=True)
    ]
    for part in parts:
        part.session.prefetch(known[:, part.begin : part.end])
    _read_first(parts, tokens, read)
    guesser = None
    if guesses and not len(known) and len(parts) == 1:
        guesser = _guesser(groups, len(read), vocabulary)
    step = 0
    for part in parts:
        part.end_before(step, not len(known))
    while parts := [part for part in parts if part.groups]:
        for i, part in enumerate(parts):
            if guesser:
                guesser.update(tokens)
                part.session.guess(guesser.guess())
                began = clock()
            logits = part.session.step(tokens[part.begin : part.end])
            if guesser:
                guesser.took(clock() - began)
            hidden = part.session.hidden()
            following = next((other for other in parts[i + 1 :] + parts[:i] if other.groups), None)
            if following and not len(known):
                following.session.prefetch(tokens[None, following.begin : following.end])
            code = partial(
                _code_step, part=part, step=step, logits=logits, hidden=hidden, tokens=tokens,
                token_of=token_of,
            )  # fmt: skip
            # In the first step ensembles get their states.
            if threads and step and len(part.groups) > 1:
                coded = [threads.submit(code, *group) for group in part.groups]
                wait(coded)
                for one in coded:
                    one.result()
            else:
                for group in part.groups:
                    code(*group)
            part.end_before(step + 1, not len(known))
        yield step
        step += 1


def _guesser(groups: Sequence[Group], n_read: int, vocabulary: Vocabulary) -> Guesser | None:
    """What guesses the tokens of a text of few streams; None for others."""
    if len(groups) > 1 or len(groups[0].layout) > MAX_STREAMS:
        return None
    layout = groups[0].layout
    return Guesser(len(layout), n_read + layout.steps, ngrams_of(vocabulary))


def _code_step(
    group: Group,
    place: int,
    part: _Part,
    step: int,
    logits: FloatArray,
    hidden: FloatArray | None,
    tokens: IntArray,
    token_of: IntArray,
) -> None:
    """Code what a group has in one step in one session.

    Args:
        place: of its first stream among all.
        part: the session with its streams.
        logits, hidden: of the session.
        tokens: [S] int32, updated: what all streams are fed next.
        token_of: [A] int32, `Vocabulary.token_of_symbol`.
    """
    layout, symbols = group.layout, group.symbols
    mine = range(max(part.begin - place, 0), min(part.end - place, len(layout)))
    rows = part.end - part.begin
    coding = [stream for stream in mine if layout.codes(stream, step)]
    for run in _runs(coding):
        places = [group.bounds[stream] + step - layout.delay(stream) for stream in run]
        first = place + run.start - part.begin
        among = range(first, first + len(run))
        states = None if hidden is None else _rows_of(among, hidden, rows)
        coded = symbols[places]
        group.ensemble.code(group.coder, run.start, _rows_of(among, logits, rows), states, coded)
        symbols[places] = coded
        tokens[place + run.start : place + run.stop] = token_of[coded]
    group.done += len(coding)
    if step < layout.head:
        # The other streams read what the first one has coded in this step.
        tokens[place + max(1, mine.start) : place + mine.stop] = token_of[symbols[step]]


def _runs(streams: Sequence[int]) -> Iterator[range]:
    """The ascending streams as ranges of neighbors."""
    first = 0
    for i in range(1, len(streams) + 1):
        if i == len(streams) or streams[i] != streams[i - 1] + 1:
            yield range(streams[first], streams[i - 1] + 1)
            first = i


def _rows_of(run: range, rows: FloatArray, streams: int) -> FloatArray:
    """The rows of some streams of a session, which has so many.

    Args:
        rows: [streams, n], or [1, n] while all of them have read the same.
    """
    if len(rows) < streams:
        return np.repeat(rows, len(run), axis=0)
    return rows[run.start : run.stop]


def _read_first(parts: Sequence[_Part], tokens: IntArray, read: IntArray) -> None:
    """Feed tokens to every stream, but for the last of them.

    Args:
        tokens: [S] int32, the first token to feed; afterwards the next one.
        read: [r ≥ 1] int32.
    """
    for token in read[1:]:
        for part in parts:
            part.session.step(tokens[part.begin : part.end])
        tokens[:] = token
