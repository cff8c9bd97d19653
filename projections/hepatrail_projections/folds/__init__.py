"""How each family's events change what is known of a participant: pure, in the order of the log."""
