"""MNIST, the networks, the tutorials."""
