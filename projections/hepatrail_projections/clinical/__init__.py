"""Pure clinical derivations: scores, windows, baseline."""
