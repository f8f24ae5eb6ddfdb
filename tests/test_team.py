"""A team of threads: jobs that helpers begin, and the caller joins."""

import threading
from collections.abc import Callable

import pytest

from predictors.language_models.exact.team import Team

PATIENCE = 30


def test_one_thread_does_nothing_before_it_is_asked():
    team = Team(1)
    seen: list[tuple[int, int]] = []

    def job(i: int) -> Callable[[int], None]:
        return lambda thread: seen.append((i, thread))

    jobs = [team.start(job(i)) for i in range(3)]
    assert seen == []
    team.finish(jobs[1])
    assert seen == [(0, 0), (1, 0)]
    team.finish(jobs[2])
    team.finish(jobs[0])
    assert seen == [(0, 0), (1, 0), (2, 0)]
    team.close()


def test_helpers_work_while_the_caller_does_something_else():
    team = Team(3)
    begun = threading.Barrier(3)
    helped: list[int] = []

    def work(thread: int) -> None:
        if thread:
            begun.wait(PATIENCE)
        helped.append(thread)

    job = team.start(work)
    begun.wait(PATIENCE)
    team.finish(job)
    assert sorted(helped) == [0, 1, 2]
    team.close()


def test_joining_does_not_wait_for_who_is_on_the_way_back():
    team = Team(2)
    done, may_return = threading.Event(), threading.Event()
    returned: list[int] = []

    def work(thread: int) -> None:
        if thread:
            done.set()
            may_return.wait(PATIENCE)
        else:
            done.wait(PATIENCE)
        returned.append(thread)

    job = team.start(work)
    team.join(job)
    assert returned == [0]
    may_return.set()
    team.finish(job)
    assert returned == [0, 1]
    team.close()


def test_what_a_helper_raises_is_raised():
    team = Team(2)

    def work(thread: int) -> None:
        if thread:
            raise MemoryError("no room")

    job = team.start(work)
    with pytest.raises(MemoryError, match="no room"):
        team.finish(job)
    team.close()


def test_an_interrupted_job_is_finished_before_the_next():
    team = Team(2)
    seen: list[str] = []
    interrupt = [KeyboardInterrupt()]

    def first(thread: int) -> None:
        if thread == 0 and interrupt:
            raise interrupt.pop()
        seen.append(f"first {thread}")

    def second(thread: int) -> None:
        seen.append(f"second {thread}")

    job = team.start(first)
    with pytest.raises(KeyboardInterrupt):
        team.finish(job)
    team.finish(team.start(second))
    assert "first 0" in seen and seen.index("first 0") < seen.index("second 0")
    assert len(seen) == 4
    team.close()


def test_closing_does_not_wait_for_the_caller():
    team = Team(2)
    team.start(lambda thread: None)
    team.close()
