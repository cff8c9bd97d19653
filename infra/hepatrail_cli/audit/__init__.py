"""`hepatrail audit`: what an auditor asks of the log itself."""
