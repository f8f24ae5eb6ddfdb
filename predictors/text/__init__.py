"""Text as bytes: context mixing without a language model."""
