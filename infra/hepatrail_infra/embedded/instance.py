"""One instance a data directory, and the ports it listens on.

Everything here ends in a `StartRefused` whose sentence says what to mend.
"""

import errno
import fcntl
import os
import random
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from hepatrail_events.errors import StartRefused

LOOPBACK = "127.0.0.1"

# Below the range from which kernels take the ports of outgoing connections: a client that tries again and
# again to reach a dead server in that range can be given the very port as its own, connect to itself, and
# keep the server from coming back.
_PORTS = range(15_000, 32_000)
_TRIES = 200


def writable_directory(path: Path, what: str = "data directory") -> Path:
    """Make `path` with its parents, try a file in it, and return it resolved.

    Raises `StartRefused` when there is a file in its place or nothing can be written there.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except (FileExistsError, NotADirectoryError) as error:
        raise StartRefused(f"The {what} {path} cannot be made: a file stands in its place.") from error
    except OSError as error:
        raise StartRefused(f"The {what} {path} is not writable: {error.strerror}.") from error
    return path.resolve()


@contextmanager
def only_one(file: Path) -> Iterator[None]:
    """What is done inside is done by one process at a time; the others wait, blocked."""
    with file.open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


class InstanceLock:
    """Held by the one process that may use a data directory.

    The kernel's lock on an open file: it ends with its process, whatever ended that, and so is never stale.
    """

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._descriptor: int | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._descriptor is not None

    def acquire(self) -> Path:
        """Take the lock and return the directory, made if need be and resolved; again does nothing.

        Raises `StartRefused` naming the process that holds it, or why the directory cannot be used.
        """
        directory = writable_directory(self._data_dir)
        if self._descriptor is not None:
            return directory
        descriptor = os.open(directory / "instance.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(descriptor)
            raise StartRefused(
                f"Another instance (process {holder}) is using the data directory {directory}; "
                "stop it or choose another directory."
            ) from error
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
        self._descriptor = descriptor
        return directory

    def release(self) -> None:
        """Give the lock back; nothing happens when it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _reason_not_free(port: int) -> int | None:
    """The errno with which a server would fail to listen on `port`, None when it would not."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        # As servers do: the remains of closed connections do not make a port taken.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
            listener.listen(1)
        except OSError as error:
            return error.errno
    return None


def free_port(avoid: frozenset[int] = frozenset()) -> int:
    """A TCP port of the loopback interface on which nothing listens, none of `avoid`."""
    for port in random.sample(_PORTS, _TRIES):
        if port not in avoid and _reason_not_free(port) is None:
            return port
    raise StartRefused(f"No free port was found between {_PORTS.start} and {_PORTS.stop}.")


def port_or_refuse(port: int) -> int:
    """`port` itself when a server can listen on it; `StartRefused` when not."""
    if not 0 < port < 65_536:
        raise StartRefused(f"{port} is no port: ports run from 1 to 65535.")
    reason = _reason_not_free(port)
    if reason == errno.EADDRINUSE:
        raise StartRefused(f"Port {port} is taken by another program; stop that or choose another port.")
    if reason is not None:
        raise StartRefused(f"Port {port} cannot be used: {os.strerror(reason)}.")
    return port


def kept_port(file: Path, requested: int | None, avoid: frozenset[int] = frozenset()) -> int:
    """The port to listen on, remembered in `file` so that clients find a server again after its restart.

    `requested` wins and is refused when taken; the remembered one is taken when free; else a new one.
    """
    if requested is not None:
        port = port_or_refuse(requested)
    else:
        text = file.read_text("ascii").strip() if file.exists() else ""
        remembered = int(text) if text.isdecimal() else 0
        usable = 0 < remembered < 65_536 and remembered not in avoid and _reason_not_free(remembered) is None
        port = remembered if usable else free_port(avoid)
    replace_text(file, f"{port}\n")
    return port


def replace_text(file: Path, text: str, mode: int = 0o644) -> None:
    """Write `file` whole or not at all, whatever ends this process meanwhile."""
    fresh = file.with_name(file.name + ".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)
