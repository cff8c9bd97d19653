"""`python -m hepatrail_cli` is `hepatrail`.

The processes of a stack start here too, without what all other commands import: that would be a third of the memory of
the small ones, and seconds of their start.
"""

import sys

import typer


def _app() -> typer.Typer:
    if sys.argv[1:2] != ["serve"]:
        from hepatrail_cli.main import app

        return app
    from hepatrail_cli.serve import serve_app

    processes = typer.Typer(name="hepatrail", add_completion=False, pretty_exceptions_enable=False)
    processes.add_typer(serve_app, name="serve")
    return processes


_app()()
