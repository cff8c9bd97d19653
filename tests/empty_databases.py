"""A database and a vault that one test after the other finds empty, as if they had just been made.

Emptied instead of dropped: to make two databases and to drop them again takes Postgres twice the time of most tests.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from hepatrail_infra.postgres import Dsns, Passwords, connection, prepare_databases

PASSWORDS = Passwords("owner", "writer", "reader", "use", "destroy")
NAMES = "tests", "tests_vault"

_DISCONNECT = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1"
_EMPTY = """
SET client_min_messages = warning;
DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema$|public$)' LOOP
        EXECUTE format('DROP SCHEMA %I CASCADE', name);
    END LOOP;
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('DROP TABLE public.%I CASCADE', name);
    END LOOP;
END $$"""
_LEFT = """
SELECT count(*) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE nspname !~ '^(pg_|information_schema$)'"""


@dataclass(frozen=True)
class EmptyDatabases:
    """The two databases of a server; the superuser's address."""

    admin: str

    async def made(self) -> Dsns:
        """Their roles, with everything in place that `hepatrail prepare` makes."""
        return await prepare_databases(self.admin, PASSWORDS, database=NAMES[0], vault_database=NAMES[1])

    async def emptied(self) -> None:
        """Disconnects whoever is left there and removes all that stands in them."""
        async with connection(self.admin) as admin:
            for name in NAMES:
                await admin.execute(_DISCONNECT, name)
        for name in NAMES:
            async with connection(_inside(self.admin, name)) as link:
                await link.execute(_EMPTY)
                assert await link.fetchval(_LEFT) == 0, f"a test left in {name} what is neither schema nor table"


def _inside(dsn: str, database: str) -> str:
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{database}"))
