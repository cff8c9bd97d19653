"""The log held to itself: verification, seals, bundles."""
