"""The programs as the tutorials write them, a file for each framework."""
