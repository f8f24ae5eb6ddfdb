"""A low-rank correction of the weights (LoRA; Hu et al. 2021): training, packing, merging."""
