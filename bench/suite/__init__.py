"""The pytest-benchmark files: `pytest bench --benchmark-only`."""
