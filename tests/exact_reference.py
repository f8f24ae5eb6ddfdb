"""A second implementation of docs/numerics.md: plain numpy, one token at a time, slow.

It shares no code with the backend but the reading of the GGUF. The integer product
can be any that is exact: `int64_product`, or `float32_product` on any BLAS.
"""

from fractions import Fraction
from functools import cache

import numpy as np

from predictors.language_models.exact.gguf_file import Gguf

F = np.float32


def int64_product(weights, values):
    """[n, k] int8 times [k] integers."""
    return weights.astype(np.int64) @ values.astype(np.int64)


def float32_product(weights, values, matmul=np.matmul):
    """The same through float32: bytes of the values, runs of k, all sums below 2**24."""
    values = values.astype(np.int64)
    total = np.zeros(len(weights), dtype=np.int64)
    run = (1 << 24) // (127 * 255)
    for begin in range(0, len(values), run):
        w = weights[:, begin : begin + run].astype(F)
        x = values[begin : begin + run]
        for shift, limb in ((0, x & 255), (8, (x >> 8) & 255), (16, x >> 16)):
            total += matmul(w, limb.astype(F)).astype(np.int64) << shift
    return total


def quantize(weights):
    top = np.abs(weights).max(axis=1)
    inverse = np.array([F(127) / t if t else F(0) for t in top], dtype=F)
    return np.clip(np.rint(weights * inverse[:, None]), -127, 127).astype(np.int64), top / F(127)


def merged(weights, a, b, scale):
    sums = int64_product(b, a)
    return weights + sums.astype(F) * scale[:, None]


def bits_of(weights):
    heaviest = int(np.abs(weights).sum(axis=1).max())
    return max(b for b in range(1, 16) if ((1 << b) - 1) * heaviest < 1 << 31)


def exponent(top):
    """The smallest e ≥ -100 with top < 2**e."""
    return max(int(np.frexp(top)[1]), -100) if top else -100


def round_row(row, bits):
    e = exponent(np.abs(row).max())
    limit = (1 << bits) - 1
    return np.clip(np.rint(np.ldexp(row, bits - e)), -limit, limit).astype(np.int64), e - bits


def round_outliers(row, bits):
    """Section 3.1, for a matrix of so many bits."""
    wide = np.abs(row.astype(np.float64)).reshape(-1, 4).max(axis=1)
    unit = exponent(wide.max()) - min(bits - 1, 13)
    while np.count_nonzero(wide >= 127.5 * 2.0**unit) > -(-len(row) // 36):
        unit += 1
    return np.rint(np.ldexp(row.astype(np.float64), -unit)).astype(np.int64), unit


class Linear:
    def __init__(self, weights, product, version):
        self.weights, self.scale = weights
        self.bits = bits_of(self.weights)
        self.product = product
        self.round = round_outliers if version == "3" else round_row

    def __call__(self, row):
        values, unit = self.round(row, self.bits)
        sums = self.product(self.weights, values)
        return sums.astype(F) * (self.scale * np.ldexp(F(1), unit))


def sigmoid(x):
    u = np.clip(-x * F(1.4426950408889634), F(-126), F(126))
    n = np.rint(u)
    f = u - n
    p = np.full_like(f, F(0.00134004))
    for c in (0.00967604, 0.05550327, 0.24022107, 0.69314718, 1.0):
        p = p * f + F(c)
    return F(1) / (F(1) + np.ldexp(p, n.astype(int)))


def exp2_negative(distance):
    f = distance & 4095
    p = np.full_like(f, 1808)
    for c in (-13985, 62792, -181686, 262144):
        p = c + (p * f >> 12)
    return (p << 12) >> np.minimum(distance >> 12, 31)


@cache
def sine_and_cosine(turns):
    """Of a fraction of a turn, in float64, by a Taylor series of exact fractions."""
    from predictors.language_models.exact.rope_tables import FIXED_BITS, two_pi

    x = turns * Fraction(two_pi(), 1 << FIXED_BITS)
    found = []
    for term, k in ((x, 1), (Fraction(1), 0)):
        total = Fraction(0)
        while abs(term) > Fraction(1, 1 << 120):
            total += term
            k += 2
            term = Fraction(round(-term * x * x / (k * (k - 1)) * (1 << 130)), 1 << 130)
        found.append(float(Fraction(round(total * (1 << 100)), 1 << 100)))
    return found


def in_turn(correction):
    """What it builds on, if it does, and then the correction; nothing of None."""
    return [*in_turn(correction.base), correction] if correction else []


class Reference:
    """The logits of one stream, token by token."""

    def __init__(self, path, window, sinks, product=int64_product, correction=None, version="3"):
        from predictors.language_models.exact.rope_tables import rope_frequencies

        file = Gguf(path)
        self.shape = s = file.shape
        self.window, self.sinks = window, sinks
        self.epsilon = float(F(file.epsilon))

        def joined(*names):
            weights = np.concatenate([file.tensor(n + ".weight") for n in names])
            return Linear(quantize(weights), product, version)

        def corrected(matrix, layer, *names):
            weights = np.concatenate([file.tensor(f"blk.{layer}.{n}.weight") for n in names])
            for one in in_turn(correction):
                a, b, scale = one.a[matrix], one.b[matrix], one.scale[matrix]
                weights = merged(weights, a[layer], b[layer], scale[layer])
            return Linear(quantize(weights), product, version)

        self.embedding = quantize(file.tensor("token_embd.weight"))
        head = "output" if file.has("output.weight") else "token_embd"
        self.head = joined(head)
        self.norm = file.tensor("output_norm.weight")
        self.layers = [
            {
                "attention_norm": file.tensor(f"blk.{i}.attn_norm.weight"),
                "ffn_norm": file.tensor(f"blk.{i}.ffn_norm.weight"),
                "qkv": corrected("qkv", i, *(f"attn_{x}" for x in "qkv")),
                "output": corrected("output", i, "attn_output"),
                "gate_up": corrected("gate_up", i, "ffn_gate", "ffn_up"),
                "down": corrected("down", i, "ffn_down"),
            }
            for i in range(s.layers)
        ]
        self.frequencies = rope_frequencies(file.rope_base, s.rope_pairs).tolist()
        self.product = product
        self.cache: list[list] = [[] for _ in range(s.layers)]
        self.position = 0

    def normalize(self, row, gain):
        values, unit = round_row(row, 20)
        mean = float((values * values).sum()) * 2.0 ** (2 * unit) / len(row)
        factor = F(1.0 / np.sqrt(mean + self.epsilon))
        return row * factor * gain

    def rotate(self, head, position):
        out = head.copy()
        for i, frequency in enumerate(self.frequencies):
            phase = ((position * frequency + 128) >> 8) % (1 << 24)
            s1, c1 = sine_and_cosine(Fraction(phase >> 12, 1 << 12))
            s2, c2 = sine_and_cosine(Fraction(phase & 4095, 1 << 24))
            c, s = F(c1 * c2 - s1 * s2), F(s1 * c2 + c1 * s2)
            a, b = head[2 * i], head[2 * i + 1]
            out[2 * i], out[2 * i + 1] = a * c - b * s, a * s + b * c
        return out

    @staticmethod
    def round_head(head):
        top = np.abs(head).max()
        inverse = F(127) / max(top, F(2.0**-100))
        return np.clip(np.rint(head * inverse), -127, 127).astype(np.int64), top / F(127)

    def attend(self, queries, past, position):
        """[group, d] queries of one KV head; `past`: (key, scale, value, scale) by position."""
        d = queries.shape[1]
        excess = max(0, position + 1 - self.window)
        dropped = -(-excess // 16) * 16
        seen = [p for p in range(position + 1) if p < self.sinks or p >= self.sinks + dropped]
        scale = F(5909.278887481194 / np.sqrt(float(d)))
        out = []
        for query in queries:
            here = round_row(self.rotate(query, position), 15)
            there = round_row(self.rotate(query, position - dropped), 15)
            found = []
            for p in seen:
                values, unit = there if p < self.sinks else here
                key, key_scale = past[p][:2]
                x = F(int(key @ values)) * (key_scale * (np.ldexp(F(1), unit) * scale))
                x = min(max(x, F(-(1 << 21))), F(1 << 21))
                found.append(int(x + F((1 << 22) + 0.5)))
            scores = np.array(found)
            weights = exp2_negative(scores.max() - scores)
            total = int(weights.sum())
            scaled = weights.astype(F) * np.array([past[p][3] for p in seen], dtype=F)
            unit = exponent(scaled.max()) - 15
            integers = np.ldexp(scaled, -unit) + F(0.5)
            integers = np.minimum(integers.astype(np.int64), 32767)
            sums = integers @ np.array([past[p][2] for p in seen])
            out.append((sums * (2.0**unit / total)).astype(F))
        return np.concatenate(out)

    def step(self, token):
        """Logits after one more token."""
        s = self.shape
        x = self.embedding[0][token].astype(F) * self.embedding[1][token]
        d, groups = s.head_size, s.heads // s.kv_heads
        for layer, past in zip(self.layers, self.cache, strict=True):
            projected = layer["qkv"](self.normalize(x, layer["attention_norm"]))
            heads = projected.reshape(-1, d)
            keys = heads[s.heads : s.heads + s.kv_heads]
            values = heads[s.heads + s.kv_heads :]
            past.append([
                (*self.round_head(self.rotate(k, self.position)), *self.round_head(v))
                for k, v in zip(keys, values, strict=True)
            ])  # fmt: skip
            attended = [
                self.attend(
                    heads[h * groups : (h + 1) * groups], [p[h] for p in past], self.position
                )
                for h in range(s.kv_heads)
            ]
            x = x + layer["output"](np.concatenate(attended))
            both = layer["gate_up"](self.normalize(x, layer["ffn_norm"]))
            gate, up = both[: s.ffn_size], both[s.ffn_size :]
            x = x + layer["down"](gate * sigmoid(gate) * up)
        self.position += 1
        self.hidden = self.normalize(x, self.norm)
        return self.head(self.hidden)
