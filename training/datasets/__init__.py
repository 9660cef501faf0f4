"""Data sets that are made here rather than found: everything under `synthetic` is simulated."""
