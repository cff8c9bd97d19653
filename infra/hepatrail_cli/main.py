"""The `hepatrail` command: what there is, and where it is done."""

import typer

from hepatrail_cli.audit.app import audit_app
from hepatrail_cli.export_sdtm import export_app
from hepatrail_cli.import_sdtm import import_app
from hepatrail_cli.prepare import prepare
from hepatrail_cli.protocol import protocol_app
from hepatrail_cli.quarantine import quarantine_app
from hepatrail_cli.rebuild import rebuild
from hepatrail_cli.report import report
from hepatrail_cli.serve import serve_app
from hepatrail_cli.simulate import simulate
from hepatrail_cli.status import status
from hepatrail_cli.token import token
from hepatrail_cli.up import up
from hepatrail_cli.validate import validate_app
from hepatrail_cli.vault import vault_app
from hepatrail_cli.watch import watch
from hepatrail_cli.whatif import whatif

app = typer.Typer(
    name="hepatrail",
    no_args_is_help=True,
    add_completion=False,
    # Its tracebacks show local variables, which may hold a patient's data.
    pretty_exceptions_enable=False,
    help="The backend of the CiPS-BAL trial: facts on Kafka, projections in Postgres, answers over GraphQL.",
)

# The written list of commands. A new one gets its file, and its line here.
COMMANDS = (up, status, rebuild, watch, simulate, prepare, token, report, whatif)
GROUPS = {
    "audit": audit_app,
    "serve": serve_app,
    "import": import_app,
    "export": export_app,
    "protocol": protocol_app,
    "quarantine": quarantine_app,
    "validate": validate_app,
    "vault": vault_app,
}

for command in COMMANDS:
    app.command()(command)
for name, group in GROUPS.items():
    app.add_typer(group, name=name)
