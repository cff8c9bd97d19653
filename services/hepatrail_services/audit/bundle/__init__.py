"""One archive that holds the log up to a seal, and everything to verify it without us (RET-01, DAT-08)."""
