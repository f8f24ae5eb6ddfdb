"""The vocabulary trie: paths lead to their symbols and split where bytes differ."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from predictors.language_models.trie import END, Trie

SPELLINGS = st.sets(st.binary(min_size=1, max_size=6), min_size=2, max_size=60).map(sorted)


def walk(trie: Trie, symbol: int, n: int) -> list[tuple[int, int, int, int]]:
    """The nodes on the way to a symbol: (node, low, high, side)."""
    node, low, high, path = 0, 0, n, []
    while node >= 0:
        side = int(symbol >= trie.split[node])
        path.append((node, low, high, side))
        low, high = (trie.split[node], high) if side else (low, trie.split[node])
        node = int(trie.child[node, side])
    assert ~node == symbol and (low, high) == (symbol, symbol + 1)
    return path


@given(SPELLINGS)
def test_every_decision_is_what_it_says(spellings):
    trie = Trie(spellings)
    lengths = []
    for symbol, spelling in enumerate(spellings):
        path = walk(trie, symbol, len(spellings))
        lengths.append(len(path))
        for node, low, high, side in path:
            depth, partial = int(trie.depth[node]), int(trie.partial[node])
            assert low < trie.split[node] < high
            assert len({s[:depth] for s in spellings[low:high]}) == 1
            if partial == END:
                assert side == (len(spelling) > depth)
            else:
                known = partial.bit_length() - 1
                bits = f"{spelling[depth]:08b}"
                assert bits[:known] == f"{partial:b}"[1:]
                assert side == int(bits[known])
    assert trie.min_decisions == min(lengths) and trie.max_decisions == max(lengths)


@given(SPELLINGS)
def test_each_node_is_reached(spellings):
    trie = Trie(spellings)
    children = trie.child.ravel()
    assert sorted(children[children >= 0]) == list(range(1, len(spellings) - 1))
    assert sorted(~children[children < 0]) == list(range(len(spellings)))


def test_spellings_are_kept_in_a_row():
    trie = Trie([b"a", b"ab", b"c"])
    assert trie.spelling.tobytes() == b"aabc"
    assert np.array_equal(trie.begin, [0, 1, 3, 4])
