"""What each framework is asked for document 1's Table 1, a file for each framework."""
