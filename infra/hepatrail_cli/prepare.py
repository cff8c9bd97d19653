"""`hepatrail prepare`: databases, roles, topics and permissions of an operator's own cluster, once before its start."""

from urllib.parse import unquote, urlsplit

import typer
from pydantic import SecretStr

from hepatrail_cli.shell import run
from hepatrail_events.errors import StartRefused
from hepatrail_infra import postgres
from hepatrail_infra.kafka_acls import ensure_acls
from hepatrail_infra.kafka_admin import ensure_topics
from hepatrail_infra.postgres import Passwords, connection, prepare_databases
from hepatrail_infra.settings import PREFIX, Settings, load_settings, need, secret
from hepatrail_projections.schema import ensure_projection
from hepatrail_services.safety.ledger import ensure_safety


def prepare() -> None:
    """Make databases, roles and topics, and check them; needs HEPATRAIL_KAFKA, _POSTGRES and the five role DSNs.

    With HEPATRAIL_SECURE=1 also what each of Kafka's users may do; HEPATRAIL_KAFKA then names an administrator.
    """
    run(_prepare(load_settings()))
    typer.echo("Databases, roles and topics are ready.")


async def _prepare(settings: Settings) -> None:
    bootstrap = need(settings.kafka, "kafka")
    admin = secret(settings.postgres, "postgres")
    passwords = Passwords(
        owner=_password(settings.postgres_owner, "postgres_owner", postgres.OWNER),
        writer=_password(settings.postgres_writer, "postgres_writer", postgres.WRITER),
        reader=_password(settings.postgres_reader, "postgres_reader", postgres.READER),
        vault_use=_password(settings.vault_use, "vault_use", postgres.VAULT_USE),
        vault_destroy=_password(settings.vault_destroy, "vault_destroy", postgres.VAULT_DESTROY),
    )
    await ensure_topics(bootstrap, settings.replication)
    if settings.secure:
        await ensure_acls(bootstrap)
    vault_admin = settings.vault.get_secret_value() if settings.vault else None
    dsns = await prepare_databases(admin, passwords, vault_admin_dsn=vault_admin)
    async with connection(dsns.owner, name="prepare") as owner:
        await ensure_projection(owner)
        await ensure_safety(owner)


def _password(dsn: SecretStr | None, name: str, role: str) -> str:
    parts = urlsplit(secret(dsn, name))
    if parts.username != role or not parts.password:
        raise StartRefused(f"{PREFIX}{name.upper()} must be the address of the role {role}, with its password.")
    return unquote(parts.password)
