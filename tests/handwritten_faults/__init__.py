"""Hand-written gradients, right and wrong, with what a good answer says of each; `table.py` is the list."""
