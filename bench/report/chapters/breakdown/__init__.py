"""Where the time of an epoch goes."""
