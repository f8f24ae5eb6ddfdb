"""Transforms of text and of blocks, each with its inverse, and their order."""
