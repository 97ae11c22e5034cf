"""Trained networks, built from portable weights, a file for each framework."""
