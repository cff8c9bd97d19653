"""The hepatrail command."""
