"""The second set, read as `../table.py` says: formulas `second/` are those of `formulas` beside this file.

More options: `reduction=sum` and `args=t,x` are those of `check`, in a booster's manner of calling.
"""

from tests.handwritten_faults.second import table_layers, table_losses
from tests.handwritten_faults.table import read

ROWS = [row for module in (table_losses, table_layers) for row in read(module.ROWS)]
