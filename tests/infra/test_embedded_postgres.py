"""A real Postgres starts by itself, keeps its data, and comes back whatever was killed."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import psutil
import pytest

from hepatrail_events.errors import StartRefused
from hepatrail_infra.embedded.instance import LOOPBACK
from hepatrail_infra.embedded.postgres import EmbeddedPostgres

SUPERVISOR = """
import asyncio, sys
from pathlib import Path
from hepatrail_infra.embedded.postgres import EmbeddedPostgres
async def main():
    server = EmbeddedPostgres(Path(sys.argv[1]))
    await server.start()
    print(server.pid, flush=True)
    await server.wait()
asyncio.run(main())
"""


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    # Closed to other users, and not below pytest's own directory, which every pytest that starts closes again.
    with tempfile.TemporaryDirectory(prefix="hepatrail postgres ") as directory:
        closed = Path(directory) / "closed"
        closed.mkdir(mode=0o700)
        yield closed / "data"


@pytest.fixture
async def server(home: Path) -> AsyncIterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(home, ready_within=20)
    yield server
    await server.stop()


def supervise(home: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", SUPERVISOR, str(home)], stdout=subprocess.PIPE, text=True)


def sleep_as(uid: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(["sleep", "60"], user=uid if os.geteuid() == 0 else None)


async def ask(dsn: str, statement: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_a_first_start_that_was_interrupted_begins_anew(server: EmbeddedPostgres, home: Path) -> None:
    (home / "cluster.new" / "base").mkdir(parents=True)
    (home / "cluster.new" / "PG_VERSION").write_text("18\n")
    (home / "password").write_text("of the interrupted start")
    dsn = await server.start()
    assert str(await ask(dsn, "show server_version")).startswith("18.")
    await ask(dsn, "create table fact (n int primary key)")
    await ask(dsn, "insert into fact select generate_series(1, 1000)")
    assert not (home / "cluster.new").exists()
    assert urlsplit(dsn).password != "of the interrupted start"


async def test_what_was_written_is_there_after_stop_and_start_on_the_same_port(server: EmbeddedPostgres) -> None:
    dsn = await server.start()
    assert await ask(dsn, "select count(*) from fact") == 1000
    await ask(dsn, "insert into fact values (1001)")
    assert await server.start() == dsn
    await server.stop()
    assert server.pid is None
    assert await server.start() == dsn
    assert await ask(dsn, "select count(*) from fact") == 1001


async def test_settings_keep_every_commit_and_fit_a_laptop(server: EmbeddedPostgres, home: Path) -> None:
    dsn = await server.start()
    shown = {name: await ask(dsn, f"show {name}") for name in ("fsync", "synchronous_commit", "jit", "TimeZone")}
    assert shown == {"fsync": "on", "synchronous_commit": "on", "jit": "off", "TimeZone": "UTC"}
    assert await ask(dsn, "show shared_buffers") == "64MB"
    assert await ask(dsn, "show data_checksums") == "on"
    assert (home / "password").stat().st_mode & 0o777 == 0o600


async def test_nobody_comes_in_without_the_password(server: EmbeddedPostgres) -> None:
    dsn = await server.start()
    where = urlsplit(dsn)
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(host=where.hostname, port=where.port, user="postgres", password="guess")
    assert await ask(dsn, "select count(*) from pg_hba_file_rules where auth_method <> 'scram-sha-256'") == 0


async def test_it_comes_back_after_its_server_was_killed_while_clients_wrote(server: EmbeddedPostgres) -> None:
    dsn = await server.start()
    acknowledged = 0
    connection = await asyncpg.connect(dsn)
    assert server.pid is not None
    asyncio.get_running_loop().call_later(0.2, os.kill, server.pid, signal.SIGKILL)
    # The last: asyncpg, when the server ends between two of its messages.
    lost = (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.InternalClientError)
    with pytest.raises(lost):
        while True:
            await connection.execute("insert into fact values ($1)", 2000 + acknowledged)
            acknowledged += 1
    connection.terminate()
    assert await server.wait() == -signal.SIGKILL
    assert await server.start() == dsn
    assert acknowledged > 0
    assert await ask(dsn, "select count(*) from fact where n >= 2000") >= acknowledged  # type: ignore[operator]


async def test_a_process_id_that_is_some_other_programs_now_does_not_keep_it_down(
    server: EmbeddedPostgres, home: Path
) -> None:
    dsn = await server.start()
    uid = psutil.Process(server.pid).uids().real
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    await server.wait()
    with sleep_as(uid) as other:
        pid_file = home / "cluster" / "postmaster.pid"
        lines = pid_file.read_text().splitlines()
        pid_file.write_text("\n".join([str(other.pid), *lines[1:], ""]))
        assert await server.start() == dsn
        assert other.poll() is None
        other.kill()


async def test_the_server_of_a_killed_supervisor_is_ended_and_a_new_one_started(
    server: EmbeddedPostgres, home: Path
) -> None:
    with supervise(home) as supervisor:
        assert supervisor.stdout is not None
        left_behind = int(supervisor.stdout.readline())
        with pytest.raises(StartRefused, match=f"process {supervisor.pid}"):
            await server.start()
        assert psutil.pid_exists(left_behind)
        supervisor.kill()
    orphan = psutil.Process(left_behind)
    assert orphan.is_running()
    dsn = await server.start()
    assert server.pid != left_behind
    assert not orphan.is_running() or orphan.status() == psutil.STATUS_ZOMBIE
    assert await ask(dsn, "select count(*) from fact where n <= 1001") == 1001


async def test_workers_of_a_killed_server_are_ended_before_a_new_one_starts(
    server: EmbeddedPostgres, home: Path
) -> None:
    dsn = await server.start()
    connection = await asyncpg.connect(dsn)
    worker = psutil.Process(connection.get_server_pid())
    busy = asyncio.ensure_future(connection.execute("do $$ begin loop end loop; end $$"))
    await asyncio.sleep(0.1)
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    await server.wait()
    assert worker.is_running()
    again = EmbeddedPostgres(home, ready_within=20)
    await server.stop()
    assert await again.start() == dsn
    assert not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE
    await again.stop()
    with pytest.raises((OSError, asyncpg.PostgresError)):
        await busy
    connection.terminate()


async def test_a_second_instance_is_refused_and_the_first_goes_on(server: EmbeddedPostgres, home: Path) -> None:
    dsn = await server.start()
    with pytest.raises(StartRefused, match="is using the data directory"):
        await EmbeddedPostgres(home).start()
    assert await ask(dsn, "select 1") == 1


async def test_a_port_that_is_taken_is_refused(home: Path) -> None:
    with socket.socket() as other:
        other.bind((LOOPBACK, 0))
        other.listen()
        with pytest.raises(StartRefused, match="is taken by another program"):
            await EmbeddedPostgres(home, other.getsockname()[1]).start()


async def test_a_cluster_it_cannot_serve_is_refused_untouched(server: EmbeddedPostgres, home: Path) -> None:
    version = home / "cluster" / "PG_VERSION"
    version.write_text("17\n")
    with pytest.raises(StartRefused, match="holds a cluster of Postgres 17, this is Postgres 18"):
        await server.start()
    version.write_text("18\n")
    secret = home / "password"
    kept = secret.read_text()
    secret.write_text("wrong")
    with pytest.raises(StartRefused, match="does not hold the superuser's password"):
        await server.start()
    assert server.pid is None
    secret.write_text(kept)
    assert await ask(await server.start(), "select count(*) > 0 from fact") is True


async def test_a_start_that_fails_cites_the_log(server: EmbeddedPostgres, home: Path) -> None:
    conf = home / "cluster" / "postgresql.conf"
    kept = conf.read_text()
    conf.write_text(kept + "no_such_setting = 1\n")
    with pytest.raises(StartRefused, match=r"ended with code 1 at its start: .*FATAL:.*\(log: .*postgres\.log\)"):
        await server.start()
    conf.write_text(kept)
