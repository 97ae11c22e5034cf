"""The same start weights and the same batches in each framework's plain training loop, a file for each."""
