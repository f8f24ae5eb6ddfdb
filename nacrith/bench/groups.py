"""What is measured apart: texts, binary files, and texts that no model has read."""

import corpora

TEXTS, UNSEEN, BINARY = "texts", "texts never published", "binary files"

GROUPS = (TEXTS, UNSEEN, BINARY)
"""In the order of tables and pictures."""


def group_of(file: str, data: bytes) -> str:
    """The group of a file, by its name and contents. A NUL byte makes it binary."""
    if file in {path.name for path in corpora.unseen()}:
        return UNSEEN
    return BINARY if b"\0" in data else TEXTS
