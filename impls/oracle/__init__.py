"""The float64 computation in NumPy that every implementation is compared with."""
