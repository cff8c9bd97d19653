import logging

import pytest

from hepatrail_events.errors import StartRefused
from hepatrail_infra.kafka_clients import Address, parse, settings, shown, tls_of, with_user


def test_an_address_without_a_user_is_given_to_clients_as_it_is() -> None:
    assert settings("k1:9092,k2:9092") == {"bootstrap_servers": "k1:9092,k2:9092"}
    assert parse("k1:9092") == Address("k1:9092")
    assert shown("k1:9092,k2:9092") == "k1:9092,k2:9092"


@pytest.mark.parametrize("password", ["plain", "p@ss:w/ord,%1", "ä€"])
def test_an_address_with_a_user_says_who_comes(password: str) -> None:
    address = with_user("k1:9092,k2:9092", "api", password)
    assert address.startswith("sasl_plaintext://api:")
    assert parse(address) == Address("k1:9092,k2:9092", "SASL_PLAINTEXT", "api", password)
    assert settings(address) == {
        "bootstrap_servers": "k1:9092,k2:9092",
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "PLAIN",
        "sasl_plain_username": "api",
        "sasl_plain_password": password,
        "ssl_context": None,
    }


def test_tls_is_spoken_where_the_address_says_so() -> None:
    address = parse("sasl_ssl://api:x@k1:9092")
    tls = tls_of(address)
    assert tls is not None
    assert tls.check_hostname
    assert settings("sasl_ssl://api:x@k1:9092")["security_protocol"] == "SASL_SSL"
    assert tls_of(parse("sasl_plaintext://api:x@k1:9092")) is None


@pytest.mark.parametrize(
    "text",
    ["kafka://k1:9092", "sasl_plaintext://k1:9092", "sasl_plaintext://:geheim@k1:9092", "ssl://a:geheim@k1:9092"],
)
def test_other_addresses_are_refused_without_being_shown(text: str) -> None:
    with pytest.raises(StartRefused, match="sasl_plaintext://user:password@host:port") as refused:
        settings(text)
    assert "geheim" not in str(refused.value)


def test_what_is_shown_holds_no_password() -> None:
    address = with_user("127.0.0.1:9092", "api", "geheim@")
    assert shown(address) == "127.0.0.1:9092"
    assert "geheim" not in repr(parse(address))


def test_a_password_that_stays_on_the_machine_is_not_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    settings(with_user("127.0.0.1:1,localhost:2", "api", "x"))
    logger = logging.getLogger("aiokafka.conn")
    logger.warning("Sending username and password in the clear")
    logger.warning("something else")
    assert [record.getMessage() for record in caplog.records] == ["something else"]
