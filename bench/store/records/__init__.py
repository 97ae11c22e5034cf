"""What was measured: one frozen record for each kind of measurement."""
