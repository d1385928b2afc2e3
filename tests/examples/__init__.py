"""The scripts under examples/ run."""
