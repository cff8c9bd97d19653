"""Telling people who are not looking: e-mail and webhook, for alerts of the safety desk and for its silence."""
