"""Trained networks: find one, ask it about a picture, write it in another format."""
