"""Does an implementation do the same work as the oracle? Runs in the worker."""
