"""How numbers, names, tables and charts look; it knows no topic."""
