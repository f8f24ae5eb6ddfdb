"""The phases of a step: who gets which items, and what is fetched meanwhile."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from predictors.language_models.exact.kernel import kernel
from predictors.language_models.exact.phases import (
    address_of,
    first_own,
    items,
    items_ahead,
    new_counters,
    own_items_ahead,
)

PHASES = 40

ONCE = 100
"""More than there are threads: an item gets this and the number of each thread that had it."""


@kernel(cache=False)
def take_shared(counters, count, thread, threads, ahead, owners, following):
    for phase in range(len(counters)):
        for item in items(address_of(counters, phase), count, ahead):
            owners[phase, item] += ONCE + thread


@kernel(cache=False)
def take_ahead(counters, count, thread, threads, ahead, owners, following):
    for phase in range(len(counters)):
        for item, then in items_ahead(address_of(counters, phase), count, ahead):
            owners[phase, item] += ONCE + thread
            following[phase, item] = then


@kernel(cache=False)
def take_own(counters, count, thread, threads, ahead, owners, following):
    for phase in range(len(counters)):
        address = address_of(counters, phase)
        for item, then in own_items_ahead(address, count, thread, threads, ahead):
            owners[phase, item] += ONCE + thread
            following[phase, item] = then


def run(take, count, threads, order):
    """Let these of the threads, in this order, do their share of all phases.

    Returns:
        [phases, count]: `ONCE` and the thread that had the item; and the item that it had next.
    """
    counters = new_counters(PHASES, threads)
    ahead = np.zeros((threads, 8), dtype=np.int64)
    owners = np.zeros((PHASES, count), dtype=np.int64)
    following = np.full((PHASES, count), -1)
    with ThreadPoolExecutor(len(order)) as pool:
        jobs = [
            pool.submit(take, counters, count, t, threads, ahead[t], owners, following)
            for t in order
        ]
        for job in jobs:
            job.result()
    return owners, following


@pytest.mark.parametrize("take", [take_shared, take_ahead, take_own])
@pytest.mark.parametrize("count", [1, 2, 7, 90])
def test_each_item_is_done_once(take, count):
    for threads in (1, 2, 5):
        owners, _ = run(take, count, threads, range(threads))
        assert (owners >= ONCE).all() and (owners < ONCE + threads).all()


@pytest.mark.parametrize("take", [take_shared, take_ahead, take_own])
def test_who_does_not_come_delays_nobody(take):
    owners, _ = run(take, 17, 3, [1])
    assert (owners == ONCE + 1).all()


def test_own_items_come_first_and_then_those_of_others():
    owners, following = run(take_own, 10, 3, [1])
    assert [first_own(10, t, 3) for t in range(4)] == [0, 3, 6, 10]
    order = [3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 10]
    for phase in range(PHASES):
        assert [following[phase, item] for item in order[:-1]] == order[1:]
    assert (owners == ONCE + 1).all()


def test_the_last_item_of_a_thread_is_followed_by_itself():
    _, following = run(take_ahead, 5, 2, [0])
    assert (following == [1, 2, 3, 4, 4]).all()


def test_threads_share_no_counter_of_another_phase():
    for threads in (1, 2, 6, 7, 40):
        counters = new_counters(3, threads)
        assert counters.shape[1] * 8 % 64 == 0 and counters.shape[1] >= 2 + threads
        run(take_own, 3, threads, range(min(threads, 4)))


def test_who_waits_fetches_what_is_ahead_and_no_more():
    counters = new_counters(1, 2)
    weights = np.zeros(10 * 64, dtype=np.uint8)
    begin = weights.ctypes.data
    ahead = np.array([begin, begin + len(weights) - 1, 7], dtype=np.int64)
    none = np.zeros((1, 2), dtype=np.int64)
    # One of two items has been taken by somebody who is not done with it for a while.
    counters[0, 0] = 1
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(take_shared, counters, 2, 0, 2, ahead, none, none)
        while ahead[0] < ahead[1]:
            assert not waiting.done()
        counters[0, 1] += 1
        waiting.result(10)
    assert ahead.tolist() == [begin + 10 * 64, begin + len(weights) - 1, 7]
