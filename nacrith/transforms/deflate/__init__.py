"""Deflate (RFC 1951): streams to tokens, and back to the same bits by predicting the compressor."""
