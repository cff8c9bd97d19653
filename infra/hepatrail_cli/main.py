"""The `hepatrail` command: what there is, and where it is done."""

import typer

from hepatrail_cli.lazy_group import lazy_group

# The written list of commands. A new one gets its file, and its line here.
COMMANDS = {
    "up": "hepatrail_cli.up:up",
    "status": "hepatrail_cli.status:status",
    "rebuild": "hepatrail_cli.rebuild:rebuild",
    "watch": "hepatrail_cli.watch:watch",
    "simulate": "hepatrail_cli.simulate:simulate",
    "prepare": "hepatrail_cli.prepare:prepare",
    "token": "hepatrail_cli.token:token",
    "report": "hepatrail_cli.report:report",
    "whatif": "hepatrail_cli.whatif:whatif",
    "audit": "hepatrail_cli.audit.app:audit_app",
    "serve": "hepatrail_cli.serve:serve_app",
    "import": "hepatrail_cli.import_sdtm:import_app",
    "export": "hepatrail_cli.export_sdtm:export_app",
    "protocol": "hepatrail_cli.protocol:protocol_app",
    "quarantine": "hepatrail_cli.quarantine:quarantine_app",
    "validate": "hepatrail_cli.validate:validate_app",
    "vault": "hepatrail_cli.vault:vault_app",
}

app = typer.Typer(
    cls=lazy_group(COMMANDS),
    name="hepatrail",
    no_args_is_help=True,
    add_completion=False,
    # Its tracebacks show local variables, which may hold a patient's data.
    pretty_exceptions_enable=False,
)


@app.callback()
def hepatrail() -> None:
    """The backend of the CiPS-BAL trial: facts on Kafka, projections in Postgres, answers over GraphQL."""
