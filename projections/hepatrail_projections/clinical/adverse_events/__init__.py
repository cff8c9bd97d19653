"""What follows from an adverse event: whether it is treatment-emergent, and what must be reported."""
