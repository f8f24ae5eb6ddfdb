"""One HTML page that shows what each token of a text costs, and why."""

from nacrith.explain.explaining import explain

__all__ = ["explain"]
