"""Context mixing of binary decisions: contexts, histories, mixers, APM."""
