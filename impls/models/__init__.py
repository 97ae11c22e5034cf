"""TODO: what this module holds."""
