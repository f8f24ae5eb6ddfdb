"""The exact backend: a Llama forward pass with the same bits on every machine.

Every reduction is a sum of integers, which does not depend on its order, and
every other operation is a single correctly rounded one of IEEE 754. So neither
the instruction set nor threads, batch shapes or libraries can change a bit.
docs/numerics.md is the specification.
"""
