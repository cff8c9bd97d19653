"""A mail server and a web server that really listen, for notifiers to talk to; they answer as the test says."""

import asyncio
import ipaddress
import socket
import ssl
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from typing import Any

from aiohttp import web
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hepatrail_services.notifying.smtp import MailServer, Security

USER, PASSWORD = "hepatrail", "planted:p@ss/word"


@dataclass(frozen=True)
class Trust:
    """A certificate for this machine: what the server shows, and what a client must hold to believe it."""

    server: ssl.SSLContext
    client: ssl.SSLContext


@cache
def the_worlds_trust() -> ssl.SSLContext:
    """What a client holds by default; made once, because that takes a while."""
    return ssl.create_default_context()


def make_trust(folder: Path) -> Trust:
    """A certificate that nobody else trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]), datetime.now(UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    return Trust(server, ssl.create_default_context(cafile=str(path)))


@dataclass
class Post:
    """A mail server's handler: what it took, and what it says to whom instead."""

    taken: list[tuple[list[str], EmailMessage]] = field(default_factory=list)
    logins: list[bytes] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    recipient: Callable[[str], str] = lambda address: "250 OK"
    data: Callable[[], Awaitable[str]] | None = None
    port: int = 0

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        said = self.recipient(address)
        if said.startswith("250"):
            envelope.rcpt_tos.append(address)
        return said

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        said = "250 OK" if self.data is None else await self.data()
        if said.startswith("250"):
            content = envelope.content
            assert isinstance(content, bytes)
            message = message_from_bytes(content, policy=policy.default)
            assert isinstance(message, EmailMessage)
            self.taken.append((list(envelope.rcpt_tos), message))
            self.encrypted.append(session.ssl is not None)
        return said

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        """Knows one login."""
        self.logins.append(data.login)
        return AuthResult(success=(data.login, data.password) == (USER.encode(), PASSWORD.encode()), handled=False)

    def server(
        self, security: Security = Security.PLAIN, *, login: bool = False, password: str = PASSWORD
    ) -> MailServer:
        """Its address."""
        user, secret = (USER, password) if login else (None, None)
        return MailServer("127.0.0.1", self.port, security, user, secret)


@asynccontextmanager
async def post_office(
    post: Post, *, trust: Trust | None = None, implicit: bool = False, login: bool = False, port: int = 0
) -> AsyncIterator[Post]:
    """Listens. With `trust` it speaks TLS: at once (`implicit`), or after STARTTLS, without which it takes nothing."""
    upgrade = None if trust is None or implicit else trust.server

    def conversation() -> SMTP:
        with warnings.catch_warnings():
            # It does not know of encryption that was there from the beginning.
            warnings.filterwarnings("ignore", "Requiring AUTH while not requiring TLS")
            return SMTP(
                post,
                hostname="localhost",
                tls_context=upgrade,
                require_starttls=upgrade is not None,
                authenticator=post.authenticate if login else None,
                auth_required=login,
                auth_require_tls=upgrade is not None,
            )

    server = await asyncio.get_running_loop().create_server(
        conversation, "127.0.0.1", port, ssl=trust.server if trust is not None and implicit else None
    )
    post.port = server.sockets[0].getsockname()[1]
    try:
        yield post
    finally:
        server.close()


@dataclass
class Hook:
    """A webhook's other side: the requests as they came, and what it answers."""

    answer: Callable[[int], web.Response | Awaitable[web.Response]] = lambda number: web.Response(status=204)
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""
    port: int = 0

    async def take(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((dict(request.headers), await request.read()))
        said = self.answer(len(self.requests))
        return said if isinstance(said, web.Response) else await said


@asynccontextmanager
async def web_server(hook: Hook, *, trust: Trust | None = None, port: int = 0) -> AsyncIterator[Hook]:
    """Listens."""
    app = web.Application()
    app.router.add_post("/hook", hook.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port, ssl_context=None if trust is None else trust.server)
        await site.start()
        hook.port = runner.addresses[0][1]
        hook.url = f"{'http' if trust is None else 'https'}://127.0.0.1:{hook.port}/hook"
        yield hook
    finally:
        await runner.cleanup()


@contextmanager
def silent_port() -> Iterator[int]:
    """A port on which a connection is taken and nothing is ever said."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


def free_port() -> int:
    """A port on which nobody listens."""
    with silent_port() as port:
        return port
