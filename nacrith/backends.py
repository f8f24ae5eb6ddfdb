"""The names of the language-model backends that a user can choose."""

GPU_BACKEND = "llama.cpp-gpu"
BACKENDS = ("auto", "exact", "llama.cpp", GPU_BACKEND, "transformers")
"""`auto`: exact where it runs the model, else llama.cpp."""
