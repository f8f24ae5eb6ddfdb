"""A frame: segments of bytes to payloads, and back."""
