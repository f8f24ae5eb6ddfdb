"""The dimensions of a model."""

from collections import namedtuple

Shape = namedtuple("Shape", "layers width heads kv_heads head_size ffn_size vocabulary rope_pairs")
Shape.__doc__ = """Dimensions of a model.

layers: L. width: E, of the residual stream. heads: query heads; kv_heads: KV heads, each of
heads / kv_heads query heads. head_size: d. ffn_size: width of the gated layer.
vocabulary: V, tokens. rope_pairs: pairs of a head's elements that are rotated.
"""
