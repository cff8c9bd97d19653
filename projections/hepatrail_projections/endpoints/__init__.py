"""The outcomes of the trial, from the rows of its participants (`endpoints.md`)."""
