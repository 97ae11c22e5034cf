"""Blocks: what is measured side by side, in turns, and how many epochs of each program that takes."""
