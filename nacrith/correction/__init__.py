"""Training a correction of the model, and measuring it: texts, command lines."""
