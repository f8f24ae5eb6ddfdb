"""Text transforms, each with its inverse, and their order."""
