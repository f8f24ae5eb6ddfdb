"""A step in a few kernels of Triton: the same bits, a tenth of the memory traffic.

PyTorch alone launches some 10,000 operations a step, each of which reads and writes memory. Here a
layer is four integer products and six kernels, whose float32 operations are those of
docs/numerics.md, one by one: fused multiply-adds are switched off (`enable_fp_fusion`), divisions
are `div_rn`. Whether a device does compute the same bits is tried before it is relied on
(`trial.py`).
"""
