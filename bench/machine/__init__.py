"""What the machine is, and what is read from it while something runs."""
