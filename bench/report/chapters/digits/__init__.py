"""What each digit was taken for, and the drawing board."""
