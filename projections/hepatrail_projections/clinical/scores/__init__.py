"""Clinical scores, one file a family (`scores.md`)."""
