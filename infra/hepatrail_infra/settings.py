"""Every setting, `HEPATRAIL_*`, read once by the command line; the only source of secrets.

Which are needed depends on the process: `need` names the variable that is missing.
"""

import base64
import binascii
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from hepatrail_events.errors import StartRefused

PREFIX = "HEPATRAIL_"
MASTER_KEY_BYTES = 64
SEED_BYTES = 32
Lanes = Literal[1, 2, 3, 4, 6, 12]
"""How many lanes the twelve partitions can be divided into."""

_Value = TypeVar("_Value")


def _number(value: object) -> object:
    # The environment holds text, a literal compares numbers.
    return int(value) if isinstance(value, str) and value.isdecimal() else value


def _listed(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _given(value: object) -> object:
    # A variable that is passed on without a value says no more than one that is missing.
    return None if value == "" else value


MailAddress = Annotated[str, Field(pattern=r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,255}$")]
"""A plain address, without a name."""
MailAddresses = Annotated[tuple[MailAddress, ...], NoDecode, BeforeValidator(_listed)]
"""Several, separated by commas."""
Text = Annotated[str | None, BeforeValidator(_given)]
Secret = Annotated[SecretStr | None, BeforeValidator(_given)]


class Settings(BaseSettings):
    """What one process is told. Secrets are `SecretStr`, so that no log line or traceback shows them."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    kafka: str | None = Field(default=None, repr=False, description="Bootstrap servers, host:port[,host:port]")
    replication: int = Field(
        default=1, ge=1, le=5, description="Replicas of each topic: 1 on a single node, 3 on a cluster"
    )

    postgres: SecretStr | None = Field(default=None, description="DSN of an administrator; `up` and `prepare` only")
    postgres_owner: SecretStr | None = Field(
        default=None, description="DSN of hepatrail_owner: schemas and tables; `rebuild`"
    )
    postgres_writer: SecretStr | None = Field(default=None, description="DSN of hepatrail_writer: projector, safety")
    postgres_reader: SecretStr | None = Field(default=None, description="DSN of hepatrail_reader: the API, status")

    vault: SecretStr | None = Field(
        default=None, description="DSN of the vault's administrator; default: that of postgres"
    )
    vault_use: SecretStr | None = Field(default=None, description="DSN of hepatrail_vault_use: makes and reads keys")
    vault_destroy: SecretStr | None = Field(
        default=None, description="DSN of hepatrail_vault_destroy; `vault destroy` only"
    )
    vault_master_key: SecretStr | None = Field(
        default=None, description="Base64 of 64 random bytes; wraps the vault's keys"
    )

    lanes: Annotated[Lanes, BeforeValidator(_number)] = Field(
        default=1, description="Lanes of the decider; the same in every decider of a study"
    )
    instance: str = Field(
        default="decider-0", pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]{0,60}$", description="Stable, unique name"
    )

    host: str = Field(default="127.0.0.1", description="Address on which the API listens")
    port: int = Field(default=8080, ge=1, le=65_535, description="Port of the API")
    metrics_port: int | None = Field(default=None, ge=1, le=65_535, description="/metrics and /healthz; absent: none")

    jwt_issuer: str = Field(default="hepatrail-embedded", description="Exact `iss` of a token")
    jwt_audience: str = Field(default="hepatrail", description="Exact `aud` of a token")
    jwks: str | None = Field(default=None, description="Path or https address of the key set that signs tokens")

    log_origin: str = Field(
        default="hepatrail.local",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9./-]{0,99}$",
        description="The operator's part of the log's name in its checkpoints, a host name without scheme",
    )
    sealing_key: Secret = Field(
        default=None, description="Base64 of the 32-byte Ed25519 seed that signs seals; with a comma: new, old"
    )
    sealing_key_publish: bool = Field(
        default=False, description="Whether the sealer publishes its own key where the study has never had it"
    )
    seal_seconds: float = Field(default=300.0, ge=1, description="Seconds between two seals of a log that grows")
    checkpoint_dir: Path | None = Field(default=None, description="Where the sealer keeps copies of its seals")
    secure: bool = Field(
        default=False,
        description="Whether the embedded Kafka asks for passwords and grants each process its topics; once so, always",
    )

    data_dir: Path = Field(default=Path("data"), description="Where the embedded stack keeps everything")
    simulated_clock: Path | None = Field(default=None, description="File of the shared offset of a simulated clock")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    sponsor_org: str = Field(
        default="CiPS-BAL sponsor", max_length=200, description="Organisation of the system's own acts"
    )
    site_org: str = Field(
        default="Trial site", max_length=200, description="Organisation in the embedded stack's site tokens"
    )

    notify_smtp: Secret = Field(
        default=None, description="Mail server: smtp[s]://[user:password@]host[:port]; absent: no e-mail"
    )
    notify_sender: Annotated[MailAddress | None, BeforeValidator(_given)] = Field(
        default=None, description="Address from which notices are mailed"
    )
    notify_officers: MailAddresses = Field(default=(), description="Safety officers: new alerts, level 1, outages")
    notify_investigator: MailAddresses = Field(default=(), description="Principal investigator: level 1")
    notify_monitor: MailAddresses = Field(default=(), description="The sponsor's medical monitor: level 2")
    notify_board: MailAddresses = Field(default=(), description="DSMB's chair, institution's office: level 3")
    notify_operators: MailAddresses = Field(default=(), description="Those who run the system: outages")
    notify_webhook: Secret = Field(
        default=None, description="https address to which notices are posted; absent: no webhook"
    )
    notify_webhook_secret: Secret = Field(default=None, description="whsec_ and 24 to 64 bytes in base64: signs them")
    notify_link: Text = Field(default=None, description="Where people look, named in every notice")

    def sealing_seeds(self) -> tuple[bytes, ...]:
        """The seeds that sign seals, the present one first; StartRefused unless there are one or two of 32 bytes."""
        try:
            seeds = tuple(
                base64.b64decode(part.strip(), validate=True)
                for part in secret(self.sealing_key, "sealing_key").split(",")
            )
        except binascii.Error:
            seeds = ()
        if len(seeds) not in (1, 2) or any(len(seed) != SEED_BYTES for seed in seeds):
            raise StartRefused(f"{PREFIX}SEALING_KEY must be one or two times {SEED_BYTES} bytes in base64.")
        return seeds

    def master_key(self) -> bytes:
        """The vault's master key; StartRefused when it is absent or not 64 bytes in base64."""
        text = secret(self.vault_master_key, "vault_master_key")
        try:
            key = base64.b64decode(text, validate=True)
        except binascii.Error:
            key = b""
        if len(key) != MASTER_KEY_BYTES:
            raise StartRefused(f"{PREFIX}VAULT_MASTER_KEY must be {MASTER_KEY_BYTES} bytes in base64.")
        return key


def load_settings() -> Settings:
    """Reads the environment; StartRefused names the first variable at fault, never its value."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        raise StartRefused(f"{PREFIX}{name.removeprefix(PREFIX)} is not valid: {first['msg']}.") from None


def need(value: _Value | None, name: str) -> _Value:
    """The value of the setting `name`; StartRefused when it is absent."""
    if value is None:
        raise StartRefused(f"{PREFIX}{name.upper()} is not set.")
    return value


def secret(value: SecretStr | None, name: str) -> str:
    """The clear text of the secret setting `name`; StartRefused when it is absent."""
    return need(value, name).get_secret_value()
