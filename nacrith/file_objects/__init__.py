"""File objects that compress what is written, or restore what is read."""
