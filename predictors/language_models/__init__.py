"""Language models: backends, their vocabulary and their numerics."""
