"""CTCAE v5.0 grades of laboratory values (`ctcae_labs.md`): pure, exact, term by term."""
