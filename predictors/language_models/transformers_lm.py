"""The transformers backend: the same protocol over PyTorch, as a slow cross-check.

Needs the optional extra `nacrith[torch]`. Float32 throughout. The window slides
as in the llama.cpp backend: sinks stay, the oldest chunk after them is dropped,
the kept keys are rotated back.
"""

from pathlib import Path
from typing import Any

import numpy as np

from predictors.base import FloatArray, IntArray, ModelError
from predictors.language_models.gguf_vocabulary import load_vocabulary
from predictors.language_models.numerics import Numerics, available_threads, this_machine
from predictors.language_models.sliding import SLIDE_FRACTION
from predictors.language_models.vocabulary import Vocabulary

try:
    import torch
    import transformers
except ImportError as error:  # pragma: no cover
    raise ModelError(
        "the transformers backend needs PyTorch: pip install 'nacrith[torch]'"
    ) from error


class TransformersModel:
    """A Llama-architecture model in PyTorch (a `LanguageModel`)."""

    def __init__(self, model: Any, vocabulary: Vocabulary, threads: int = 0) -> None:
        """
        Args:
            model: a `LlamaForCausalLM`.
            vocabulary: that of the same model.
            threads: PyTorch's threads; 0 = all CPUs of this process.
        """
        self.threads = threads or available_threads()
        self._model = model.eval()
        self.vocabulary = vocabulary

    @classmethod
    def from_gguf(cls, path: Path, threads: int = 0) -> "TransformersModel":
        """Load a GGUF, its weights dequantized to float32.

        Raises:
            ModelError: transformers can't read it.
        """
        vocabulary = load_vocabulary(path)
        try:
            model = transformers.AutoModelForCausalLM.from_pretrained(
                path.parent, gguf_file=path.name, dtype=torch.float32, local_files_only=True
            )
        except (OSError, ValueError, KeyError) as error:
            raise ModelError(f"transformers can't load {path}: {error}") from error
        return cls(model, vocabulary, threads)

    def save(self, directory: Path) -> None:
        """Write the float32 weights and config.json as a Hugging Face checkpoint."""
        # A model read from a GGUF counts as quantized, which the library does not
        # save, although its weights are plain float32.
        config = type(self._model.config)(
            **{k: v for k, v in self._model.config.to_dict().items() if k != "quantization_config"}
        )
        plain = type(self._model)(config)
        plain.load_state_dict(self._model.state_dict())
        plain.save_pretrained(directory)

    @property
    def numerics(self) -> Numerics:
        return Numerics(
            backend="transformers",
            version=f"{transformers.__version__}+torch{torch.__version__}",
            machine=this_machine(),
            features=frozenset(),
            threads=self.threads,
            device=torch.backends.cpu.get_cpu_capability(),
        )

    def logits_of(self, tokens: IntArray) -> FloatArray:
        """[n] int32 tokens from an empty cache, all at once: [n, V] float32 logits."""
        torch.set_num_threads(self.threads)
        with torch.inference_mode():
            output = self._model(input_ids=torch.from_numpy(tokens.astype(np.int64))[None])
        logits: FloatArray = output.logits[0].numpy()
        return logits

    def sessions(self, n_streams: int) -> int:
        return 1

    def open(self, n_streams: int, window: int, sinks: int) -> "TransformersSession":
        torch.set_num_threads(self.threads)
        return TransformersSession(self._model, n_streams, window, sinks)

    def close(self) -> None:
        self._model = None


def load(path: Path, threads: int) -> TransformersModel:
    """Load a GGUF; see `TransformersModel.from_gguf`."""
    return TransformersModel.from_gguf(path, threads)


class TransformersSession:
    """A dynamic KV cache with one row per stream (a `Session`)."""

    def __init__(self, model: Any, n_streams: int, window: int, sinks: int) -> None:
        self._model = model
        self._streams = n_streams
        self._window = window
        self._sinks = sinks
        self._chunk = max(1, window // SLIDE_FRACTION)
        self.reset()

    def reset(self) -> None:
        self._cache = transformers.DynamicCache()
        self._position = 0

    def step(self, tokens: IntArray) -> FloatArray:
        if self._position == self._window:
            self._slide()
        with torch.inference_mode():
            output = self._model(
                input_ids=torch.from_numpy(tokens.astype(np.int64))[:, None],
                position_ids=torch.full((self._streams, 1), self._position),
                past_key_values=self._cache,
                use_cache=True,
                output_hidden_states=True,
            )
        self._position += 1
        # The last one is after the final norm.
        self._hidden: FloatArray = output.hidden_states[-1][:, -1].numpy()
        logits: FloatArray = output.logits[:, -1].numpy()
        return logits

    def prefetch(self, tokens: IntArray) -> None:
        """Of no use here: other batch shapes give other logits."""

    def guess(self, tokens: IntArray) -> None:
        """Of no use here, as `prefetch`."""

    def hidden(self) -> FloatArray:
        return self._hidden

    def _slide(self) -> None:
        dropped = min(self._chunk, self._position - self._sinks)
        keep_from = self._sinks + dropped
        inverse_frequencies = self._model.model.rotary_emb.inv_freq
        angle = -float(dropped) * inverse_frequencies
        cosine = torch.cat([angle.cos(), angle.cos()])
        sine = torch.cat([angle.sin(), angle.sin()])
        with torch.inference_mode():
            for layer in self._cache.layers:
                kept = layer.keys[:, :, keep_from:]
                half = kept.shape[-1] // 2
                turned = torch.cat([-kept[..., half:], kept[..., :half]], dim=-1)
                rotated = kept * cosine + turned * sine
                layer.keys = torch.cat([layer.keys[:, :, : self._sinks], rotated], dim=2)
                layer.values = torch.cat(
                    [layer.values[:, :, : self._sinks], layer.values[:, :, keep_from:]], dim=2
                )
        self._position -= dropped

    def close(self) -> None:
        self._cache = None
