"""`python -m symgrad`: the installed command, by its entry point, as the library never imports its command."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points


def main() -> int:
    """Run the console script `symgrad`."""
    for entry in entry_points(group="console_scripts", name="symgrad"):
        code: int = entry.load()()
        return code
    sys.stderr.write("error: the command of symgrad is not installed\n = help: pip install symgrad\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
