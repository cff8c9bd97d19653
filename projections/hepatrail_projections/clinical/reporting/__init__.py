"""Reporting clocks: what must be reported to whom by when, and whether it was (`safety.md` 5.2)."""
