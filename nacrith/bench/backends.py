"""llama.cpp beside PyTorch: the same weights in float32, logits and speed."""

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from nacrith.format.parameters import Parameters
from nacrith.models.catalog import default_model
from nacrith.models.import_checkpoint import import_checkpoint
from predictors.base import LanguageModel
from predictors.language_models.llama_cpp import LlamaCppModel
from predictors.language_models.transformers_lm import TransformersModel


def measure_backends(n_tokens: int) -> dict[str, Any]:
    """Single-token decode of the embedded model by both backends.

    PyTorch loads the GGUF dequantized to float32. For llama.cpp these weights are
    saved as a checkpoint and imported as a float32 GGUF, so that both compute with
    the same numbers; the embedded quantized file is measured beside them.
    """
    embedded = default_model().path
    parameters = Parameters()
    torch_model = TransformersModel.from_gguf(embedded)
    with tempfile.TemporaryDirectory() as folder:
        wide = Path(folder) / "wide.gguf"
        save_checkpoint(torch_model, Path(folder) / "checkpoint")
        import_checkpoint(Path(folder) / "checkpoint", wide, "f32")
        models: dict[str, LanguageModel] = {
            "transformers float32": torch_model,
            "llama.cpp float32, precise attention": LlamaCppModel(wide, precise=True),
            "llama.cpp float32": LlamaCppModel(wide),
            "llama.cpp Q4_1": LlamaCppModel(embedded),
        }
        tokens = np.random.default_rng(0).integers(100, 40_000, n_tokens).astype(np.int32)
        logits, speeds = {}, {}
        for name, model in models.items():
            session = model.open(1, parameters.window, parameters.sinks)
            session.step(tokens[:1])
            session.reset()
            begin = time.perf_counter()
            rows = [session.step(tokens[i : i + 1])[0].copy() for i in range(n_tokens)]
            speeds[name] = n_tokens / (time.perf_counter() - begin)
            logits[name] = np.array(rows)
            session.close()
            model.close()
    reference = logits["transformers float32"]
    norm = np.linalg.norm(reference, axis=1)
    return {
        "tokens": n_tokens,
        "speeds": speeds,
        "relative_error": {
            name: float((np.linalg.norm(rows - reference, axis=1) / norm).max())
            for name, rows in logits.items()
        },
    }


def save_checkpoint(model: TransformersModel, directory: Path) -> None:
    """Save a loaded model as a Hugging Face checkpoint with its tokenizer."""
    import transformers

    model.save(directory)
    embedded = default_model().path
    tokenizer = transformers.AutoTokenizer.from_pretrained(
        embedded.parent, gguf_file=embedded.name, local_files_only=True
    )
    tokenizer.save_pretrained(directory)
