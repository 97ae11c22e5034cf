"""The fastest way that we know for each framework to do the same work, a file for each."""
