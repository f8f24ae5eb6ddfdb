"""The llama.cpp backend: S sequences in one context, one token of each per step.

The context window slides with attention sinks: once a stream has `window`
positions, a chunk of the oldest ones after the first `sinks` is dropped and the
kept keys are rotated so that positions stay below `window` (Xiao et al. 2023).
Absolute positions would leave the trained context and the model would collapse.
"""

import ctypes
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from predictors.base import FloatArray, IntArray, ModelError
from predictors.language_models.byte_level import bytes_of_piece
from predictors.language_models.gguf_magic import check_magic
from predictors.language_models.numerics import FEATURES, Numerics, available_threads, this_machine
from predictors.language_models.sliding import SLIDE_FRACTION
from predictors.language_models.vocabulary import START_TEXT, Vocabulary

try:
    import llama_cpp as ll
except ImportError as error:
    raise ModelError(
        "llama.cpp is not installed, which this backend or this model needs: "
        "pip install 'nacrith[llama-cpp]' (it is built then, which takes a C++ compiler)"
    ) from error

ALL_LAYERS = 999
"""More layers than any model has: all of them on the GPU."""

_MIN_BATCH = 32
_VOCAB_TYPE_BPE = 2
_ATTR_UNUSED, _ATTR_CONTROL, _ATTR_USER_DEFINED = 1 << 1, 1 << 3, 1 << 4


@ll.llama_log_callback
def _silent(level: int, text: bytes, user_data: object) -> None:
    """llama.cpp writes to stderr by default; what matters is raised instead."""


_backend_ready = False


def _init_backend() -> None:
    global _backend_ready
    if not _backend_ready:
        ll.llama_log_set(_silent, ctypes.c_void_p(0))
        ll.llama_backend_init()
        _backend_ready = True


class LlamaCppModel:
    """A GGUF of a byte-level BPE model, run by llama.cpp (a `LanguageModel`).

    Raises:
        ModelError: the file is not a GGUF that llama.cpp reads, its vocabulary is
            not byte-level BPE, its KV cache can't be shifted, or a GPU is asked for and
            there is none.
    """

    def __init__(
        self, path: Path, threads: int = 0, gpu_layers: int = 0, precise: bool = False
    ) -> None:
        """
        Args:
            path: the GGUF file.
            threads: threads of one step; 0 = all CPUs of this process.
            gpu_layers: layers to put on a GPU; 0 = none, `ALL_LAYERS`.
            precise: attention in float32 throughout, slower; for comparison with
                other backends.
        """
        if gpu_layers and not ll.llama_supports_gpu_offload():
            raise ModelError(
                "a GPU is needed, but llama.cpp finds none here, or was built without support "
                "for it; build it again with CMAKE_ARGS=-DGGML_CUDA=on (or -DGGML_METAL=on, "
                "-DGGML_VULKAN=on) pip install --force-reinstall --no-binary :all: "
                "llama-cpp-python, or compress with --backend exact, which needs none"
            )
        self._handle = _load(path, vocab_only=False, gpu_layers=gpu_layers)
        self.threads = threads or available_threads()
        self._gpu_layers = gpu_layers
        self._precise = precise
        try:
            self.vocabulary = _read_vocabulary(self._handle, path)
        except ModelError:
            self.close()
            raise

    @property
    def numerics(self) -> Numerics:
        return Numerics(
            backend="llama.cpp",
            version=ll.__version__,
            machine=this_machine(),
            features=_system_features(),
            threads=self.threads,
            device=f"gpu_layers={self._gpu_layers}" if self._gpu_layers else "",
        )

    def sessions(self, n_streams: int) -> int:
        return 1

    def open(
        self, n_streams: int, window: int, sinks: int, batch: int = _MIN_BATCH
    ) -> "LlamaCppSession":
        """See `LanguageModel`. `batch`: how many tokens `fill` evaluates at once."""
        return LlamaCppSession(
            self._handle, n_streams, window, sinks, self.threads, self._precise, batch
        )

    def close(self) -> None:
        if self._handle:
            ll.llama_model_free(self._handle)
            self._handle = None


class LlamaCppSession:
    """A llama.cpp context with one sequence per stream (a `Session`)."""

    def __init__(
        self,
        model: ll.llama_model_p,
        n_streams: int,
        window: int,
        sinks: int,
        threads: int,
        precise: bool = False,
        batch: int = _MIN_BATCH,
    ) -> None:
        if n_streams > ll.llama_max_parallel_sequences():
            raise ModelError(
                f"llama.cpp runs at most {ll.llama_max_parallel_sequences()} streams, "
                f"{n_streams} were asked for; use a smaller --streams"
            )
        trained = ll.llama_model_n_ctx_train(model)
        if window > trained:
            raise ModelError(
                f"this model was trained on {trained} positions, a window of {window} is too "
                f"long for it; use --window {trained // 256 * 256} or less"
            )
        self._model = model
        self._window = window
        self._sinks = sinks
        self._chunk = max(1, window // SLIDE_FRACTION)
        self._n_vocab = ll.llama_vocab_n_tokens(ll.llama_model_get_vocab(model))
        self._n_embd = ll.llama_model_n_embd(model)
        self._position = 0

        params = _context_params(n_streams, window, threads, precise, batch)
        self._context = ll.llama_init_from_model(model, params)
        if not self._context:
            raise ModelError(
                f"llama.cpp could not open a context of {n_streams} streams x {window} "
                "positions; not enough memory? Use fewer --streams or a smaller --window"
            )
        self._memory = ll.llama_get_memory(self._context)
        if not ll.llama_memory_can_shift(self._memory):
            self.close()
            raise ModelError(
                "this model's KV cache can't be shifted, which a sliding window needs; "
                "use a Llama-architecture model"
            )
        self._fill_size = params.n_batch
        self._batch = _one_token_each(n_streams)
        self._tokens = np.ctypeslib.as_array(self._batch.token, (n_streams,))
        self._positions = np.ctypeslib.as_array(self._batch.pos, (n_streams,))

    def step(self, tokens: IntArray) -> FloatArray:
        if self._position == self._window:
            self.slide()
        self._tokens[:] = tokens
        self._positions[:] = self._position
        status = ll.llama_decode(self._context, self._batch)
        if status != 0:
            raise ModelError(f"llama.cpp failed to evaluate a step (status {status})")
        self._position += 1
        logits = ll.llama_get_logits(self._context)
        return np.ctypeslib.as_array(logits, (len(self._tokens), self._n_vocab))

    def prefetch(self, tokens: IntArray) -> None:
        """Of no use here: other batch shapes give other logits."""

    def guess(self, tokens: IntArray) -> None:
        """Of no use here, as `prefetch`."""

    def hidden(self) -> FloatArray:
        states = ll.llama_get_embeddings(self._context)
        return np.ctypeslib.as_array(states, (len(self._tokens), self._n_embd))

    def fill(self, tokens: IntArray) -> None:
        """Evaluate [T] tokens of a single stream, many at once, without logits.

        Faster than stepping, but not equal to it in the last bits: for
        measurements, never for coding. The tokens must fit in the window.
        """
        for begin in range(0, len(tokens), self._fill_size):
            self._evaluate(tokens[begin : begin + self._fill_size], want_logits=False)

    def logits_of(self, tokens: IntArray) -> Iterator[tuple[FloatArray, FloatArray]]:
        """Like stepping through [T] tokens of a single stream, but many at once.

        For measurements, as `fill`. The window slides where stepping would slide.

        Yields:
            ([n, V] logits, [n, E] hidden states) of the next n tokens, valid until
            the next ones.
        """
        done = 0
        while done < len(tokens):
            if self._position == self._window:
                self.slide()
            n = min(self._fill_size, len(tokens) - done, self._window - self._position)
            self._evaluate(tokens[done : done + n], want_logits=True)
            yield (
                np.ctypeslib.as_array(ll.llama_get_logits(self._context), (n, self._n_vocab)),
                np.ctypeslib.as_array(ll.llama_get_embeddings(self._context), (n, self._n_embd)),
            )
            done += n

    def _evaluate(self, tokens: IntArray, want_logits: bool) -> None:
        batch = ll.llama_batch_init(len(tokens), 0, 1)
        batch.n_tokens = len(tokens)
        for i, token in enumerate(tokens.tolist()):
            batch.token[i] = token
            batch.pos[i] = self._position + i
            batch.n_seq_id[i] = 1
            batch.seq_id[i][0] = 0
            batch.logits[i] = want_logits
        status = ll.llama_decode(self._context, batch)
        ll.llama_batch_free(batch)
        if status != 0:
            raise ModelError(f"llama.cpp failed to evaluate a batch (status {status})")
        self._position += len(tokens)

    def slide(self) -> None:
        """Drop the oldest chunk after the sinks and re-base the rest."""
        dropped = min(self._chunk, self._position - self._sinks)
        begin, end = self._sinks, self._sinks + dropped
        for stream in range(len(self._tokens)):
            ll.llama_memory_seq_rm(self._memory, stream, begin, end)
            ll.llama_memory_seq_add(self._memory, stream, end, -1, -dropped)
        self._position -= dropped

    def reset(self) -> None:
        # With the data cleared too, nothing of the past can leave a trace.
        ll.llama_memory_clear(self._memory, True)
        self._position = 0

    def close(self) -> None:
        if self._context:
            if hasattr(self, "_batch"):
                # The arrays below point into the batch.
                del self._tokens, self._positions
                ll.llama_batch_free(self._batch)
                del self._batch
            ll.llama_free(self._context)
            self._context = None


def _context_params(
    n_streams: int, window: int, threads: int, precise: bool, batch: int
) -> ll.llama_context_params:
    params = ll.llama_context_default_params()
    params.n_ctx = window * n_streams
    params.n_batch = params.n_ubatch = max(n_streams, batch)
    params.n_seq_max = n_streams
    params.n_threads = params.n_threads_batch = threads
    # Measured at 1 to 64 streams: flash attention with a 16-bit cache, one
    # cache per sequence, is the fastest of the combinations.
    params.flash_attn_type = ll.LLAMA_FLASH_ATTN_TYPE_ENABLED
    params.kv_unified = False
    params.no_perf = True
    # Without pooling: the hidden states come beside the logits.
    params.embeddings = True
    params.pooling_type = ll.LLAMA_POOLING_TYPE_NONE
    if precise:
        params.flash_attn_type = ll.LLAMA_FLASH_ATTN_TYPE_DISABLED
        params.type_k = params.type_v = ll.GGML_TYPE_F32
    return params


def _one_token_each(n_streams: int) -> ll.llama_batch:
    """A batch of one token of each stream, with its logits; tokens and positions are to be set."""
    batch = ll.llama_batch_init(n_streams, 0, 1)
    batch.n_tokens = n_streams
    for i in range(n_streams):
        batch.n_seq_id[i] = 1
        batch.seq_id[i][0] = i
        batch.logits[i] = 1
    return batch


def load(path: Path, threads: int) -> LlamaCppModel:
    """Load a GGUF for the processor."""
    return LlamaCppModel(path, threads, gpu_layers=0)


def load_on_gpu(path: Path, threads: int) -> LlamaCppModel:
    """Load a GGUF, all its layers on the first GPU."""
    return LlamaCppModel(path, threads, ALL_LAYERS)


def load_vocabulary(path: Path) -> Vocabulary:
    """Read only the vocabulary of a GGUF.

    The tokenizer stays usable for the life of the process: llama.cpp's
    vocabulary-only model is small and is kept.

    Raises:
        ModelError: see `LlamaCppModel`.
    """
    return _read_vocabulary(_load(path, vocab_only=True, gpu_layers=0), path)


def _load(path: Path, vocab_only: bool, gpu_layers: int) -> ll.llama_model_p:
    _init_backend()
    check_magic(path)
    params = ll.llama_model_default_params()
    params.vocab_only = vocab_only
    params.n_gpu_layers = gpu_layers
    handle = ll.llama_model_load_from_file(os.fsencode(path), params)
    if not handle:
        raise ModelError(
            f"llama.cpp can't load {path}: the file is damaged or of an architecture "
            "that this version does not know"
        )
    return handle


def _read_vocabulary(handle: ll.llama_model_p, path: Path) -> Vocabulary:
    vocab = ll.llama_model_get_vocab(handle)
    if ll.llama_vocab_type(vocab) != _VOCAB_TYPE_BPE:
        raise ModelError(
            f"the vocabulary of {path} is not byte-level BPE, the only kind that "
            "spells any bytes; use a model with a GPT-2 style tokenizer "
            "(SmolLM2, Llama 3, Qwen, ...)"
        )
    spellings: list[bytes | None] = []
    start = None
    for token in range(ll.llama_vocab_n_tokens(vocab)):
        text = ll.llama_vocab_get_text(vocab, token)
        attributes = ll.llama_vocab_get_attr(vocab, token)
        if text == START_TEXT:
            start = token
        if attributes & (_ATTR_CONTROL | _ATTR_UNUSED):
            spellings.append(None)
        elif attributes & _ATTR_USER_DEFINED:
            spellings.append(text)
        else:
            spellings.append(bytes_of_piece(text.decode("utf-8", errors="replace")))
    if start is None:
        candidates = (ll.llama_vocab_bos(vocab), ll.llama_vocab_eos(vocab), 0)
        start = next(token for token in candidates if token >= 0)
    return Vocabulary(spellings, _tokenizer(vocab), start)


def _tokenizer(vocab: ll.llama_vocab_p) -> Callable[[bytes], list[int]]:
    def tokenize(text: bytes) -> list[int]:
        # A token spells at least one byte, so this many are enough.
        buffer = (ll.llama_token * (len(text) + 1))()
        n = ll.llama_tokenize(vocab, text, len(text), buffer, len(buffer), False, False)
        if n < 0:
            raise ModelError(f"llama.cpp failed to tokenize {len(text)} bytes (status {n})")
        return buffer[:n]

    return tokenize


def _system_features() -> frozenset[str]:
    """Instruction sets and kernels that this build of llama.cpp uses here."""
    info = ll.llama_print_system_info().decode("utf-8", errors="replace")
    found = {name for name, value in re.findall(r"(\w+) = (\d+)", info) if int(value)}
    return frozenset(found & set(FEATURES))
