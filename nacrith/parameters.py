"""The parameters of the text model that a decoder needs, as stored in a file."""

from dataclasses import dataclass

from nacrith.prompts import PROMPTS
from predictors.contexts import ALL_KINDS, N_KINDS
from predictors.neighbors import MAX_STATES

MAX_RATE = 1 << 16

# Limits that a reader enforces before it allocates anything for them.
MAX_STREAMS = 256
MAX_WINDOW = 1 << 17
# All streams together: 6 GB of cache with the embedded model.
MAX_POSITIONS = 1 << 18


@dataclass(frozen=True)
class Parameters:
    """How text is predicted. The defaults are frozen for a format version.

    Attributes:
        streams: sequences that advance in lockstep (S).
        window: positions of context that a stream keeps.
        sinks: first positions that are kept for ever.
        bias_rate: learning rate of the bias head in thousandths; 0 = off.
        head_rate: learning rate of the output head in thousandths; 0 = off.
        contexts: mask of the kinds of context that the byte-level refinement uses
            (`predictors.contexts.KINDS`); 0 = no refinement.
        prompt: number of the text that the model reads first (`prompts.PROMPTS`).
        neighbors: past hidden states that the refinement searches; 0 = none.
    """

    streams: int = 1
    window: int = 1024
    sinks: int = 4
    bias_rate: int = 200
    head_rate: int = 5330
    contexts: int = ALL_KINDS
    prompt: int = 0
    neighbors: int = 1 << 15

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
        if not 0 <= self.bias_rate <= MAX_RATE or not 0 <= self.head_rate <= MAX_RATE:
            return f"learning rates must be from 0 to {MAX_RATE} thousandths"
        if not 0 <= self.contexts <= ALL_KINDS:
            return f"this version knows only {N_KINDS} kinds of context"
        if not 0 <= self.prompt < len(PROMPTS):
            return f"this version knows only {len(PROMPTS) - 1} prompts"
        if not 0 <= self.neighbors <= MAX_STATES:
            return f"neighbors must be from 0 to {MAX_STATES}, not {self.neighbors}"
        return None
