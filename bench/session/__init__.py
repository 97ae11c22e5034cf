"""One run: what is measured, in which order, how often, and what is kept."""
