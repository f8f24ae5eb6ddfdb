"""Everything that predicts: language models, their vocabulary, online predictors."""
