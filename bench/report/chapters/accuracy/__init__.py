"""Accuracy: over the epochs, until 97 %, and what one change to a network does to it."""
