"""The parameters of the text model that a decoder needs, as stored in a file."""

from dataclasses import dataclass

from coder import CDF_BITS

# Limits that a reader enforces before it allocates anything for them.
MAX_STREAMS = 256
MAX_WINDOW = 1 << 17
# All streams together: 6 GB of cache with the embedded model.
MAX_POSITIONS = 1 << 18


@dataclass(frozen=True)
class Parameters:
    """How text is predicted. The defaults are frozen for format version 1.

    Attributes:
        streams: sequences that advance in lockstep (S).
        window: positions of context that a stream keeps.
        sinks: first positions that are kept for ever.
        cdf_bits: binary logarithm of the CDF's total.
        bias_rate: learning rate of the bias head in thousandths; 0 = off.
    """

    streams: int = 1
    window: int = 1024
    sinks: int = 4
    cdf_bits: int = CDF_BITS
    bias_rate: int = 100

    def problem(self) -> str | None:
        """Say what makes these parameters unusable; None if they are fine."""
        if not 1 <= self.streams <= MAX_STREAMS:
            return f"streams must be from 1 to {MAX_STREAMS}, not {self.streams}"
        if not 256 <= self.window <= MAX_WINDOW or self.window % 256:
            return f"the window must be a multiple of 256 up to {MAX_WINDOW}, not {self.window}"
        if self.streams * self.window > MAX_POSITIONS:
            return f"streams times window must be at most {MAX_POSITIONS}; use fewer --streams"
        if not 1 <= self.sinks <= self.window // 4:
            return f"sinks must be from 1 to a quarter of the window, not {self.sinks}"
        if self.cdf_bits != CDF_BITS:
            return f"this version only knows CDFs of {CDF_BITS} bits, not {self.cdf_bits}"
        if not 0 <= self.bias_rate <= 1000:
            return f"the bias rate must be from 0 to 1000 thousandths, not {self.bias_rate}"
        return None


# A stream of its own costs the cold start of the model's context, about 50 bytes
# of output (docs/benchmarks.md), so a stream gets at least this much text; and a
# CPU gains little speed beyond 8 streams.
STREAM_BYTES = 1 << 16
AUTO_STREAMS = 8


def choose_streams(size: int) -> int:
    """Number of streams for `size` bytes of text (or its upper bound)."""
    return max(1, min(AUTO_STREAMS, size // STREAM_BYTES))
