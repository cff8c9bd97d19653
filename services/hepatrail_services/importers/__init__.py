"""Real input: rows of other systems become commands."""
