"""Jars come from a repository once and are held to the lock ever after."""

import gc
import hashlib
import threading
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from hepatrail_events.errors import StartRefused
from hepatrail_infra.embedded.instance import LOOPBACK, free_port
from hepatrail_infra.embedded.jar_lock import LOCK, LockedJar, digest, parse, render
from hepatrail_infra.embedded.jars import KAFKA, KAFKA_VERSION, LOGGING, kafka_classpath

CONTENT = {"one": b"first jar", "two": b"second jar, a little longer"}
JARS = tuple(
    LockedJar(f"org.example.{name}", name, "1.0", "", hashlib.sha256(content).hexdigest(), len(content))
    for name, content in CONTENT.items()
)


class Repository:
    """A Maven repository on the loopback interface that counts what it is asked for."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.asked: list[str] = []
        for name, content in CONTENT.items():
            self.put(name, content)

    def put(self, name: str, content: bytes) -> None:
        file = self.root / "org" / "example" / name / name / "1.0" / f"{name}-1.0.jar"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)

    def handler(self) -> type[SimpleHTTPRequestHandler]:
        asked = self.asked

        class Handler(SimpleHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:
                if self.path.endswith(".jar"):
                    asked.append(self.path.rsplit("/", 1)[1])

        return Handler


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[tuple[Repository, dict[str, str]]]:
    repository = Repository(tmp_path / "repository")
    handler = partial(repository.handler(), directory=str(repository.root))
    with ThreadingHTTPServer((LOOPBACK, 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield repository, {"here": f"http://{LOOPBACK}:{server.server_port}"}
        server.shutdown()
        thread.join()
    # jgo leaves a connection open after an answer that is no jar, until its exception is collected.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    file = tmp_path / "test.lock"
    file.write_text(render(JARS))
    return file


Served = tuple[Repository, dict[str, str]]


def test_jars_are_fetched_once_and_later_starts_ask_nobody(repository: Served, lock: Path, tmp_path: Path) -> None:
    served, address = repository
    told: list[tuple[int, int]] = []
    fetch = partial(kafka_classpath, tmp_path / "cache", lock=lock, repositories=address)
    first = fetch(progress=lambda done, total: told.append((done, total)))
    assert [jar.read_bytes() for jar in first] == list(CONTENT.values())
    assert sorted(served.asked) == ["one-1.0.jar", "two-1.0.jar"]
    assert told[-1] == (36, 36)
    assert fetch() == first
    assert len(served.asked) == 2


def test_first_starts_at_the_same_moment_fetch_once(repository: Served, lock: Path, tmp_path: Path) -> None:
    served, address = repository
    with ThreadPoolExecutor(4) as pool:
        fetch = partial(kafka_classpath, tmp_path / "cache", lock=lock, repositories=address)
        results = {future.result() for future in [pool.submit(fetch) for _ in range(4)]}
    assert len(results) == 1
    assert len(served.asked) == 2


def test_an_interrupted_fetch_goes_on_where_it_stopped(repository: Served, lock: Path, tmp_path: Path) -> None:
    served, address = repository
    partly = tmp_path / "cache" / f"{digest(JARS)[:16]}.partial"
    partly.mkdir(parents=True)
    (partly / "one-1.0.jar").write_bytes(CONTENT["one"])
    (partly / "two-1.0.jar").write_bytes(CONTENT["two"][:5])
    jars = kafka_classpath(tmp_path / "cache", lock=lock, repositories=address)
    assert served.asked == ["two-1.0.jar"]
    assert jars[1].read_bytes() == CONTENT["two"]


def test_a_jar_with_another_hash_is_refused_where_it_is_fetched(repository: Served, lock: Path, tmp_path: Path) -> None:
    served, address = repository
    served.put("two", b"second jar, but someone else's")
    with pytest.raises(StartRefused, match=r"org\.example\.two:two:1\.0 has SHA-256 .* the lock says .* refused"):
        kafka_classpath(tmp_path / "cache", lock=lock, repositories=address)
    assert not (tmp_path / "cache" / digest(JARS)[:16]).exists()


def test_a_jar_that_was_changed_removed_or_added_later_is_refused_by_name(
    repository: Served, lock: Path, tmp_path: Path
) -> None:
    fetch = partial(kafka_classpath, tmp_path / "cache", lock=lock, repositories=repository[1])
    one, two = fetch()
    two.write_bytes(CONTENT["two"][::-1])
    with pytest.raises(StartRefused, match=r"two-1\.0\.jar .* has another SHA-256 than the lock: refused"):
        fetch()
    two.unlink()
    with pytest.raises(StartRefused, match=r"two-1\.0\.jar .* is missing: refused"):
        fetch()
    two.write_bytes(CONTENT["two"])
    added = one.with_name("three-1.0.jar")
    added.write_bytes(b"stowaway")
    with pytest.raises(StartRefused, match=r"three-1\.0\.jar is no jar of the lock: refused"):
        fetch()
    added.unlink()
    assert fetch() == (one, two)


def test_without_a_network_the_first_start_says_what_it_needs(lock: Path, tmp_path: Path) -> None:
    nowhere = {"here": f"http://{LOOPBACK}:{free_port()}"}
    with pytest.raises(StartRefused, match=r"could not be fetched \(ConnectionError\): .* needs the network"):
        kafka_classpath(tmp_path / "cache", lock=lock, repositories=nowhere)


def test_a_jar_that_no_repository_has_is_named(repository: Served, tmp_path: Path) -> None:
    lock = tmp_path / "more.lock"
    lock.write_text(render((*JARS, LockedJar("org.example", "absent", "2", "", "0" * 64, 1))))
    with pytest.raises(StartRefused, match=r"org\.example:absent:2, a part of Kafka, is not to be had here"):
        kafka_classpath(tmp_path / "cache", lock=lock, repositories=repository[1])


def test_a_cache_that_cannot_be_made_is_refused(lock: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(StartRefused, match=r"The jar cache .* cannot be made"):
        kafka_classpath(tmp_path / "cache", lock=lock, repositories={})


def test_the_committed_lock_pins_kafka_and_its_log_and_names_no_address() -> None:
    text = LOCK.read_text("ascii")
    jars = parse(text)
    assert "://" not in text
    assert render(jars) == text
    coordinates = {jar.coordinates for jar in jars}
    assert {KAFKA, LOGGING.rstrip("!")} <= coordinates
    kafka = [jar for jar in jars if jar.group == "org.apache.kafka"]
    assert len(kafka) > 10
    assert {jar.version for jar in kafka} == {KAFKA_VERSION}
    assert len({jar.file_name for jar in jars}) == len(jars)


def test_a_lock_keeps_classifiers_and_refuses_other_lines() -> None:
    jar = LockedJar("g", "a", "1", "linux", "ab" * 32, 7)
    assert parse(render((jar,))) == (jar,)
    assert (jar.coordinates, jar.file_name) == ("g:a:1:linux", "a-1-linux.jar")
    with pytest.raises(ValueError, match="no line of a jar lock"):
        parse("g:a:1 sha256:12 7")
