"""The commands: arguments in, lines out; the only place that prints or exits."""
