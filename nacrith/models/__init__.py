"""Which model files there are here, and making one from a checkpoint."""
