"""The things that the report tells, one in each module or folder: frames, columns, chart, section."""
