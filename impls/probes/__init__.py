"""Programs that count what document 1's Table 1 states, a file for each framework."""
