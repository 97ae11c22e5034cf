"""The tutorials' programs in passes that each do one thing more, a file for each framework."""
