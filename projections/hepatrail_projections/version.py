"""The version of the projections: it rises when a row changes its shape or its meaning."""

PROJECTION_VERSION = 5
