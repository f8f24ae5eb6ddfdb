"""Training and measuring a correction of the model, with texts as the program prepares them."""
