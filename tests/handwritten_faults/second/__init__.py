"""A second set, written later by somebody who did not know how check works either; `table.py` is its list."""
