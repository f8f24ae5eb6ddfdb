"""Bytes that are not text."""
