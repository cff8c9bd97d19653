"""A clinically plausible trial from a seed, and its player."""
