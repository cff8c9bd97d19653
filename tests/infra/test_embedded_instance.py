"""One instance a data directory, ports, and what is said when either is not to be had."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from hepatrail_events.errors import StartRefused
from hepatrail_infra.embedded.instance import (
    LOOPBACK,
    InstanceLock,
    free_port,
    kept_port,
    port_or_refuse,
    replace_text,
    writable_directory,
)
from hepatrail_infra.embedded.orphans import end_orphans, find_orphans
from hepatrail_infra.embedded.process import Launch, ServerProcess, last_error, run_tool

HOLDER = """
import sys, time
from pathlib import Path
from hepatrail_infra.embedded.instance import InstanceLock
InstanceLock(Path(sys.argv[1])).acquire()
print("held", flush=True)
time.sleep(60)
"""

STEPS = ((signal.SIGTERM, 0.5), (signal.SIGKILL, 5.0))


def test_a_second_instance_is_refused_and_told_the_process_of_the_first(tmp_path: Path) -> None:
    with (
        InstanceLock(tmp_path),
        pytest.raises(StartRefused, match=rf"process {os.getpid()}\) is using the data directory"),
    ):
        InstanceLock(tmp_path).acquire()


def test_the_directory_of_a_killed_instance_is_free_at_once(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StartRefused, match=f"process {holder.pid}"):
            InstanceLock(tmp_path).acquire()
        holder.kill()
        holder.wait()
        with InstanceLock(tmp_path) as lock:
            assert lock.held
    with InstanceLock(tmp_path) as again:
        assert again.held


def test_a_file_in_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("mine")
    with pytest.raises(StartRefused, match="a file stands in its place"):
        InstanceLock(tmp_path / "data").acquire()
    with pytest.raises(StartRefused, match="a file stands in its place"):
        InstanceLock(tmp_path / "data" / "below").acquire()
    assert (tmp_path / "data").read_text() == "mine"


@pytest.mark.skipif(sys.platform != "linux", reason="/proc refuses new files, to root as well")
def test_a_directory_that_cannot_be_written_is_refused() -> None:
    with pytest.raises(StartRefused, match="is not writable"):
        InstanceLock(Path("/proc/sys")).acquire()
    with pytest.raises(StartRefused, match="is not writable"):
        writable_directory(Path("/proc/hepatrail/data"))


def test_a_port_in_use_is_refused_and_a_free_one_is_not() -> None:
    with socket.socket() as other:
        other.bind((LOOPBACK, 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(StartRefused, match=f"Port {port} is taken"):
            port_or_refuse(port)
    assert port_or_refuse(port) == port
    with pytest.raises(StartRefused, match="70000 is no port"):
        port_or_refuse(70000)


def test_found_ports_are_not_among_those_of_outgoing_connections() -> None:
    assert all(15_000 <= free_port() < 32_000 for _ in range(20))


def test_a_port_is_kept_until_somebody_else_has_it(tmp_path: Path) -> None:
    file = tmp_path / "port"
    port = kept_port(file, None)
    assert kept_port(file, None) == port
    with socket.socket() as other:
        other.bind((LOOPBACK, port))
        other.listen()
        assert kept_port(file, None) != port
        with pytest.raises(StartRefused, match="is taken"):
            kept_port(file, port)
    file.write_text("no number")
    assert kept_port(file, None) > 0
    assert kept_port(file, None, frozenset({int(file.read_text())})) != port


def test_a_file_is_replaced_whole_although_a_killed_writer_left_its_own(tmp_path: Path) -> None:
    (tmp_path / "secret.new").write_text("half")
    replace_text(tmp_path / "secret", "whole", 0o600)
    assert (tmp_path / "secret").read_text() == "whole"
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "secret.new").exists()


def sleeper(directory: Path, stubborn: bool = False) -> Launch:
    code = "import signal, sys, time\n"
    code += "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" if stubborn else ""
    code += "print('ready', flush=True); time.sleep(60)"
    return Launch([sys.executable, "-c", code], directory, directory / "out.log", {})


async def test_a_process_that_ignores_the_gentle_signal_is_ended_by_force(tmp_path: Path) -> None:
    process = ServerProcess("sleeper", STEPS)
    process.spawn(sleeper(tmp_path, stubborn=True))
    while "ready" not in (tmp_path / "out.log").read_text():
        assert process.pid is not None
    await process.end()
    assert (process.pid, process.code) == (None, -signal.SIGKILL)


def test_only_processes_of_the_very_directory_are_orphans(tmp_path: Path) -> None:
    mine, other = tmp_path / "mine", tmp_path / "other"
    processes = []
    for directory in (mine, other):
        directory.mkdir()
        processes.append(ServerProcess("sleeper", STEPS))
        processes[-1].spawn(sleeper(directory))
    names = frozenset({Path(sys.executable).resolve().name, Path(sys.executable).name})
    found = find_orphans([mine, tmp_path / "absent"], names, lambda command: "-c" in command)
    assert [process.pid for process in found] == [processes[0].pid]
    assert find_orphans([mine], names, lambda command: False) == []
    assert find_orphans([mine], frozenset({"java"}), lambda command: True) == []
    end_orphans(found, STEPS)
    assert processes[0].pid is None
    assert processes[1].pid is not None
    end_orphans(find_orphans([other], names, lambda command: True), STEPS)
    assert processes[1].pid is None


def test_a_program_that_fails_or_is_missing_is_told_in_one_sentence(tmp_path: Path) -> None:
    log = tmp_path / "tool.log"
    broken = [sys.executable, "-c", "print('Error: no disk'); print('bye'); raise SystemExit(3)"]
    with pytest.raises(StartRefused, match=r"^tool ended with code 3: Error: no disk \(log: .*tool\.log\)\.$"):
        run_tool("tool", Launch(broken, tmp_path, log, {}))
    with pytest.raises(StartRefused, match="tool cannot be started"):
        run_tool("tool", Launch([str(tmp_path / "absent")], tmp_path, log, {}))


def test_an_error_is_looked_for_only_in_what_the_last_run_wrote(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    assert last_error(log, 0, ["ERROR"]) == "-"
    log.write_text("ERROR old\n")
    since = log.stat().st_size
    log.write_text("ERROR old\nINFO starting\nERROR new\n  at line 3\n")
    assert last_error(log, since, ["ERROR"]) == "ERROR new"
    assert last_error(log, since, ["FATAL"]) == "at line 3"
    log.write_text("fresh\n")
    assert last_error(log, since, ["ERROR"]) == "fresh"
