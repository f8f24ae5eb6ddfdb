"""A vocabulary in which each byte is a token."""

from predictors.language_models.vocabulary import Vocabulary

BYTES = Vocabulary([None, *[bytes([b]) for b in range(256)]], lambda t: [1 + b for b in t], 0)
"""Token 0 starts a text and spells nothing; token 1 + b spells byte b."""
