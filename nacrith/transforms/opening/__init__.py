"""Compressed streams inside a block: found, opened, and closed again to the same bytes."""
