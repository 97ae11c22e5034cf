"""Stored results become CSVs, charts, a page and pytest-benchmark's JSON; two directories are compared."""
