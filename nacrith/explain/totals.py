"""What a file is made of, and what each predictor is worth to it."""

from dataclasses import dataclass, field

from nacrith.explain.rows import BINARY, CODED, HEADS, MODEL, Rows


@dataclass
class Totals:
    """Bits, but for `original` and `tokens`.

    Attributes:
        original: bytes of the original.
        file: the compressed file.
        gzip, xz: what `gzip -9` and `xz -9e` make of the original.
        tokens: their number.
        model: the tokens with the language model alone and an ideal coder.
        heads: with the bias and output heads.
        coded: as they are in the file.
        without: the tokens, by what of `nacrith.codec.ablated.WITHOUT` was switched off.
        other: of the text's payload what is no token: line breaks, streams, checks.
        binary: the payloads of binary data.
        container: all the rest.
    """

    original: int
    file: int
    gzip: int
    xz: int
    tokens: int = 0
    model: float = 0.0
    heads: float = 0.0
    coded: float = 0.0
    without: dict[str, float] = field(default_factory=dict)
    other: float = 0.0
    binary: float = 0.0
    container: float = 0.0

    def add_without(self, bits: dict[str, float]) -> None:
        """Add those of a frame."""
        for name, more in bits.items():
            self.without[name] = self.without.get(name, 0.0) + more


def sum_up(rows: Rows, totals: Totals) -> None:
    """Set what the tokens cost; `totals.other` is their payloads before, and the rest after."""
    tokens = rows[rows["own"] != BINARY]
    bits = tokens["bits"].sum(axis=0).tolist()
    totals.tokens = len(tokens)
    totals.model, totals.heads, totals.coded = bits[MODEL], bits[HEADS], bits[CODED]
    totals.container = totals.file - totals.other - totals.binary
    totals.other -= totals.coded
    totals.without["byte-level refinement"] = totals.heads
