"""The exact backend in PyTorch as a `LanguageModel`."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from predictors.base import ModelError
from predictors.language_models.exact.model_data import model_data
from predictors.language_models.exact_torch.cache import new_cache, new_slots
from predictors.language_models.exact_torch.device import CPU, find_device, use_ieee_arithmetic
from predictors.language_models.exact_torch.evaluator import Evaluator
from predictors.language_models.exact_torch.memory import free_bytes, streams_that_fit, too_little
from predictors.language_models.exact_torch.network import Network, network_on
from predictors.language_models.exact_torch.replay import recorder_for
from predictors.language_models.exact_torch.session import TorchSession
from predictors.language_models.exact_torch.torch_module import torch
from predictors.language_models.exact_torch.trial import passes_for
from predictors.language_models.numerics import Numerics, available_threads, exact_numerics
from predictors.language_models.versions import VERSION, has_byte_rows

if TYPE_CHECKING:
    from predictors.language_models.correction.correction_file import Correction
    from predictors.language_models.correction.file_head import CorrectionFile

ROWS = {"cpu": 64, "cuda": 1024}
"""Rows that are evaluated at once where the tokens are known. A GPU is busy from some thousand on;
the logits of a row take 0.2 MB of its memory, and of the processor's."""

MOST_AHEAD = 64
"""Positions of a stream at once: with few streams no more, so that they take little memory."""

# Slots are multiplied in multiples of so many: a recorded step serves for as many positions.
_SLOT_STEPS = {"cpu": 16, "cuda": 128}

# From so many streams on, half of them are coded while a GPU evaluates the other half.
_MIN_STREAMS_TO_HALVE = 64


class TorchModel:
    """A Llama-architecture GGUF whose logits are those of `exact`, on a device.

    Attributes:
        device: a `torch.device`.
    """

    def __init__(
        self,
        path: Path,
        threads: int = 0,
        correction: "Correction | CorrectionFile | None" = None,
        device: str = CPU,
        version: str = VERSION,
    ) -> None:
        """
        Args:
            path: the GGUF file.
            threads: of PyTorch on the CPU, for the whole process; 0 = all CPUs of this process.
            correction: what is added to the weights.
            device: see `find_device`.
            version: of the numerics, a known one.

        Raises:
            ModelError: the file is no GGUF, or of a kind that this backend does not run, or
                there is no such device.
        """
        self.device = find_device(device)
        use_ieee_arithmetic()
        threads = threads or available_threads()
        torch.set_num_threads(threads)
        self._data = model_data(path, threads, correction)
        self._version = version
        self.vocabulary = self._data.vocabulary
        self.shape = self._data.shape
        self.context = self._data.context
        self._recorder = recorder_for(self.device)
        try:
            self._network: Network | None = network_on(
                self._data, self.device, has_byte_rows(version)
            )
        except torch.OutOfMemoryError as error:
            raise too_little(self.device, "the weights of the model") from error
        self._new_passes = passes_for(self._data, self._network)

    @property
    def numerics(self) -> Numerics:
        return exact_numerics(self._version)

    @property
    def is_on_gpu(self) -> bool:
        return bool(self.device.type != CPU)

    def sessions(self, n_streams: int) -> int:
        return 2 if n_streams >= _MIN_STREAMS_TO_HALVE and self.is_on_gpu else 1

    def streams_that_fit(self, window: int, sinks: int) -> int:
        """How many streams the free memory of the device is enough for."""
        return streams_that_fit(self.shape, window, sinks, free_bytes(self.device))

    def open(self, n_streams: int, window: int, sinks: int, ahead: int = 0) -> TorchSession:
        """See `LanguageModel`.

        Args:
            ahead: positions of a stream that can be evaluated at once; 0 = as many as
                pay. They change no bit.

        Raises:
            DeviceMemoryError: they need more memory than there is.
        """
        if window > self.context:
            raise ModelError(
                f"this model was trained on {self.context} positions, a window of {window} is "
                f"too long for it; use --window {self.context // 256 * 256} or less"
            )
        kind = self.device.type
        ahead = ahead or max(1, min(ROWS[kind] // n_streams, MOST_AHEAD))
        slots = new_slots(sinks, window, ahead)
        try:
            cache = new_cache(self.shape, n_streams, slots.total, self.device)
            rows = n_streams * ahead
            step = _SLOT_STEPS[kind]
            assert self._network
            passes = self._new_passes(self._network, slots, rows)
            evaluator = Evaluator(self._data, passes, cache, slots, rows, self._recorder, step)
            return TorchSession(evaluator, cache, slots, ahead, self.is_on_gpu)
        except torch.OutOfMemoryError as error:
            raise too_little(self.device, f"{n_streams} streams of {window} positions") from error

    def close(self) -> None:
        """Sessions that are still there keep the memory that they need."""
        self._network = None
        if self.is_on_gpu:
            # A GPU that has failed repeats its error at every call.
            with suppress(RuntimeError):
                torch.cuda.empty_cache()


def load(
    path: Path,
    threads: int,
    correction: "CorrectionFile | None" = None,
    device: str = CPU,
    version: str = VERSION,
) -> TorchModel:
    """Load a GGUF onto a device; of more threads than processors, some would wait for others."""
    return TorchModel(path, min(threads, available_threads()), correction, device, version)
