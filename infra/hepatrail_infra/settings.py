"""Every setting, `HEPATRAIL_*`, read once by the command line; the only source of secrets.

Which are needed depends on the process: `need` names the variable that is missing.
"""

import base64
import binascii
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from hepatrail_events.errors import StartRefused

PREFIX = "HEPATRAIL_"
MASTER_KEY_BYTES = 64
Lanes = Literal[1, 2, 3, 4, 6, 12]
"""How many lanes the twelve partitions can be divided into."""

_Value = TypeVar("_Value")


def _number(value: object) -> object:
    # The environment holds text, a literal compares numbers.
    return int(value) if isinstance(value, str) and value.isdecimal() else value


class Settings(BaseSettings):
    """What one process is told. Secrets are `SecretStr`, so that no log line or traceback shows them."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    kafka: str | None = Field(default=None, description="Bootstrap servers, host:port[,host:port]")
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

    data_dir: Path = Field(default=Path("data"), description="Where the embedded stack keeps everything")
    simulated_clock: Path | None = Field(default=None, description="File of the shared offset of a simulated clock")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    sponsor_org: str = Field(
        default="CiPS-BAL sponsor", max_length=200, description="Organisation of the system's own acts"
    )
    site_org: str = Field(
        default="Trial site", max_length=200, description="Organisation in the embedded stack's site tokens"
    )

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
