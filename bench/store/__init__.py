"""The result directory: whole files or none."""
