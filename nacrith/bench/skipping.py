"""Confidence skip: how often could a long match stand in for the language model?

For each token that a match of at least L tokens predicts: is the prediction right?
No model is needed for this.
"""

from predictors.base import IntArray

_KEY = 4


def matched_share(symbols: IntArray, min_length: int) -> tuple[float, float]:
    """(share of tokens that a match of ≥ min_length ≥ 4 predicts, share of these that is right).

    The match model goes on along the latest occurrence of the last 4 tokens.
    """
    text = symbols.tolist()
    latest: dict[tuple[int, ...], int] = {}
    pointer, length = -1, 0
    predicted = right = 0
    for i, symbol in enumerate(text):
        if length >= min_length:
            predicted += 1
            right += text[pointer] == symbol
        if pointer >= 0 and text[pointer] == symbol:
            pointer, length = pointer + 1, length + 1
        else:
            pointer, length = -1, 0
        if i + 1 < _KEY:
            continue
        key = tuple(text[i + 1 - _KEY : i + 1])
        if pointer < 0 and key in latest:
            pointer, length = latest[key], _KEY
            while length < pointer and text[pointer - 1 - length] == text[i - length]:
                length += 1
        latest[key] = i + 1
    return predicted / max(len(text), 1), right / max(predicted, 1)
