"""The audit trail: what was changed by whom, when and why, a row a field (AUD-01, AUD-03, AUD-04)."""
