"""Heads that correct the scores of all tokens, trained on what was coded."""
