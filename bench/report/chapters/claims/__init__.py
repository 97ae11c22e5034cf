"""What the tutorials claim, and whether it holds."""
