"""`python -m hepatrail_cli` is `hepatrail`."""

from hepatrail_cli.main import app

app()
