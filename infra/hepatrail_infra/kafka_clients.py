"""Kafka's address, with or without a user: what clients are told of it, and what may be shown.

`host:port[,host:port]`, or, like the address of a database, `sasl_plaintext://user:password@host:port[,host:port]`;
`sasl_ssl://` for brokers with TLS, whose certificate the system's authorities (or SSL_CERT_FILE) vouch for.
The mechanism is PLAIN. User and password are percent-encoded.
"""

import logging
import ssl
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, unquote

from hepatrail_events.errors import StartRefused

PLAINTEXT: Final = "PLAINTEXT"
SASL_PLAINTEXT: Final = "SASL_PLAINTEXT"
SASL_SSL: Final = "SASL_SSL"
MECHANISM: Final = "PLAIN"

_SEPARATOR = "://"
_LOCAL = ("127.0.0.1:", "localhost:", "[::1]:")
_CLEAR = "Sending username and password in the clear"
_SCHEMES = {protocol.lower(): protocol for protocol in (SASL_PLAINTEXT, SASL_SSL)}


@dataclass(frozen=True, slots=True)
class Address:
    """Where Kafka is (`host:port[,host:port]`), and as whom one comes: nobody with the protocol PLAINTEXT."""

    servers: str
    protocol: str = PLAINTEXT
    username: str | None = None
    password: str | None = field(default=None, repr=False)


def parse(bootstrap: str) -> Address:
    """Reads an address; StartRefused when it is of neither form, without showing its password."""
    scheme, separator, rest = bootstrap.partition(_SEPARATOR)
    if not separator:
        return Address(bootstrap)
    user, _, servers = rest.rpartition("@")
    username, colon, password = user.partition(":")
    if scheme not in _SCHEMES or not username or not colon or not servers:
        raise StartRefused(
            "Kafka's address is neither host:port nor sasl_plaintext://user:password@host:port (or sasl_ssl://...)."
        )
    return Address(servers, _SCHEMES[scheme], unquote(username), unquote(password))


def settings(bootstrap: str) -> dict[str, Any]:
    """The arguments by which any aiokafka client comes to this address; StartRefused when it is none."""
    address = parse(bootstrap)
    if address.protocol == PLAINTEXT:
        return {"bootstrap_servers": address.servers}
    if all(server.startswith(_LOCAL) for server in address.servers.split(",")):
        # aiokafka warns at every connection; here the password does not leave the machine.
        logging.getLogger("aiokafka.conn").addFilter(_not_of_clear_text)
    return {
        "bootstrap_servers": address.servers,
        "security_protocol": address.protocol,
        "sasl_mechanism": MECHANISM,
        "sasl_plain_username": address.username,
        "sasl_plain_password": address.password,
        "ssl_context": tls_of(address),
    }


def _not_of_clear_text(record: logging.LogRecord) -> bool:
    return record.msg != _CLEAR


def tls_of(address: Address) -> ssl.SSLContext | None:
    """How TLS is spoken with this address, None where it is not."""
    return ssl.create_default_context() if address.protocol == SASL_SSL else None


def shown(bootstrap: str) -> str:
    """The servers of an address alone, for messages: without user and password."""
    return bootstrap.rpartition("@")[2]


def with_user(servers: str, user: str, password: str) -> str:
    """The address of a user at these servers (`host:port[,host:port]`), without TLS."""
    return f"{SASL_PLAINTEXT.lower()}{_SEPARATOR}{quote(user, safe='')}:{quote(password, safe='')}@{servers}"
