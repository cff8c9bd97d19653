"""The servers that an operator's or an auditor's command works on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from hepatrail_cli.stack_files import StackSecrets, held_users, stack_is_known, stack_settings
from hepatrail_infra.embedded.instance import InstanceLock
from hepatrail_infra.postgres import prepare_databases
from hepatrail_infra.settings import Settings, load_settings, need


@dataclass(frozen=True, slots=True)
class Servers:
    """Kafka's address, the database roles' where Postgres is there, and whether a stack works on them.

    `settings` are those of the environment or of the stack; of servers that were started for this command they hold
    no addresses but the vault's, where Postgres is there.
    """

    bootstrap: str
    owner: str | None
    reader: str | None
    settings: Settings
    running: bool


@asynccontextmanager
async def servers(data_dir: Path, *, postgres: bool = True) -> AsyncIterator[Servers]:
    """Of the settings, of the running stack, else started for this command, `postgres` or not, and ended with it.

    Raises StartRefused when there is no stack, Unavailable when a server does not start.
    """
    if stack_is_known(data_dir) or not (data_dir / "kafka").exists():
        settings = stack_settings(data_dir)
        owner, reader = settings.postgres_owner, settings.postgres_reader
        yield Servers(
            bootstrap=need(settings.kafka, "kafka"),
            owner=None if owner is None else owner.get_secret_value(),
            reader=None if reader is None else reader.get_secret_value(),
            settings=settings,
            running=True,
        )
        return
    # Imported here: beside a stack that runs, which is the usual case, nothing is started.
    from hepatrail_infra.embedded.kafka import EmbeddedKafka
    from hepatrail_infra.embedded.postgres import EmbeddedPostgres

    with InstanceLock(data_dir):
        dsns, settings, secrets = None, load_settings(), StackSecrets.load_or_create(data_dir)
        users = held_users(data_dir, secrets, settings.secure)
        kafka, database = EmbeddedKafka(data_dir / "kafka", users=users), EmbeddedPostgres(data_dir / "postgres")
        try:
            bootstrap = await kafka.start()
            if postgres:
                dsns = await prepare_databases(await database.start(), secrets.passwords)
                vault = {"vault_use": dsns.vault_use, "vault_master_key": secrets.master_key}
                settings = settings.model_copy(update={name: SecretStr(text) for name, text in vault.items()})
            yield Servers(
                bootstrap=bootstrap,
                owner=None if dsns is None else dsns.owner,
                reader=None if dsns is None else dsns.reader,
                settings=settings,
                running=False,
            )
        finally:
            await database.stop()
            await kafka.stop()
