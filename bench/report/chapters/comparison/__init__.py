"""The comparison: which framework is faster, by how much, how sure."""
