"""The parameters of the text model that a decoder needs, as stored in a file."""

from dataclasses import dataclass

# Frozen: bits of the header's mask of parameters that are not the default. Append only.
BITS = {
    0: "window",
    1: "sinks",
    2: "bias_rate",
    3: "head_rate",
    4: "contexts",
    5: "prompt",
    6: "neighbors",
    7: "unlike",
}

# Limits that a reader enforces before it allocates anything for them.
MAX_RATE = 1 << 16
MAX_STREAMS = 256
MAX_WINDOW = 1 << 17
# All streams together: 6 GB of cache with the embedded model.
MAX_POSITIONS = 1 << 18
# One bit for each kind of context.
MAX_CONTEXTS = 4095
MAX_PROMPT = 2
MAX_NEIGHBORS = 1 << 16


@dataclass(frozen=True)
class Parameters:
    """How text is predicted. Defaults are frozen for a format version.

    The rates of the heads were chosen on ten validation texts of `corpora.training` of 24 KB and
    two of 120 KB, with the corrected default model.

    Attributes:
        window: positions of context that a stream keeps.
        sinks: first positions that are kept for ever.
        bias_rate: learning rate of the bias head in thousandths; 0 = off.
        head_rate: learning rate of the output head in thousandths; 0 = off.
        contexts: mask of the kinds of context that the byte-level refinement uses
            (`predictors.mixing.contexts.KINDS`); 0 = no refinement.
        prompt: number of the text that the model reads first (`prompts.PROMPTS`).
        neighbors: past hidden states that the refinement searches; 0 = none.
        unlike: 1 = streams may be unlike: each has weights and counts of its own, too, and the
            table of contexts of a long text is larger. Since 0.9.0.
    """

    window: int = 1024
    sinks: int = 4
    bias_rate: int = 50
    head_rate: int = 2660
    contexts: int = 4095
    prompt: int = 0
    neighbors: int = 1 << 15
    unlike: int = 0

    def problem(self) -> str | None:
        """Say what makes these parameters unusable; None if they are fine."""
        if not 256 <= self.window <= MAX_WINDOW or self.window % 256:
            return f"the window must be a multiple of 256 up to {MAX_WINDOW}, not {self.window}"
        if not 1 <= self.sinks <= self.window // 4:
            return f"sinks must be from 1 to a quarter of the window, not {self.sinks}"
        if not 0 <= self.bias_rate <= MAX_RATE or not 0 <= self.head_rate <= MAX_RATE:
            return f"learning rates must be from 0 to {MAX_RATE} thousandths"
        if not 0 <= self.contexts <= MAX_CONTEXTS:
            return f"this version knows only {MAX_CONTEXTS.bit_length()} kinds of context"
        if not 0 <= self.prompt <= MAX_PROMPT:
            return f"this version knows only {MAX_PROMPT} prompts"
        if not 0 <= self.neighbors <= MAX_NEIGHBORS:
            return f"neighbors must be from 0 to {MAX_NEIGHBORS}, not {self.neighbors}"
        if self.unlike not in (0, 1):
            return f"unlike must be 0 or 1, not {self.unlike}"
        return None


def streams_problem(streams: int, window: int) -> str | None:
    """Say what makes a number of streams unusable with this window; None if it is fine."""
    if not 0 <= streams <= MAX_STREAMS:
        return f"streams must be from 0 to {MAX_STREAMS}, not {streams}"
    if streams * window > MAX_POSITIONS:
        return f"streams times window must be at most {MAX_POSITIONS}; use fewer --streams"
    return None
