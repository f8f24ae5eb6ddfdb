"""Everything that predicts: language models, their vocabulary, online predictors."""

import os

# llama.cpp's threads meet some 400 times a token and wait for each other in a
# loop. With OpenMP's default of 300,000 turns, two runs on the same cores starve
# each other (2 cores: below 1 token/s each); with 1,000 they share (30 each, 124
# alone). OpenMP reads this when it is loaded, hence here.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
