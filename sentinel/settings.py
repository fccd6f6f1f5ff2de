"""The agent's settings: everything that `SENTINEL_*` in the environment says."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from sentinel.core.address import LISTEN, Address, agent_url
from sentinel.core.errors import SentinelError
from sentinel.core.fields import PositiveDuration
from sentinel.core.quantity import Unit, parse_quantity

PREFIX = "SENTINEL_"
#: Settings that may stand in a file, as orchestrators hand out secrets: SENTINEL_TOKEN_FILE=/run/secrets/token.
_SECRET = ("token", "tokens", "heartbeat_url")
#: With less a database holds hardly anything beside its own tables.
_LEAST_BYTES = 10_000_000


class SettingsInvalid(SentinelError):
    """A setting cannot be used; the text names each with what was expected."""


class Settings(BaseSettings):
    """Settings of the agent and of the commands that ask it."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True)

    database_url: str = Field("sqlite:///sentinel.db", description="Where state and samples are kept.")
    listen: str = Field(LISTEN, description="Address of the HTTP server.")
    config: Annotated[tuple[Path, ...], NoDecode] = Field(
        (),
        description="The tree of YAML: paths parted by `:`; default `probes:rules:notifiers` here, else /etc/sentinel.",
    )
    name: str = Field(default_factory=socket.gethostname, description="Name of this agent in messages.")
    token: SecretStr | None = Field(
        None,
        description="Bearer token for everything, needed off loopback; also the one that commands ask with. "
        "Or `SENTINEL_TOKEN_FILE`, a file that holds it.",
    )
    tokens: SecretStr | None = Field(
        None,
        description="More tokens, each for some things only: `ci:push:TOKEN grafana:read:sha256=HASH oncall:operate:…`."
        " Or `SENTINEL_TOKENS_FILE`.",
    )
    auth: Literal["token", "none"] = Field("token", description="`none` allows another address without a token.")
    retention: PositiveDuration = Field(timedelta(days=35), description="How long samples are kept.")
    retention_size: int = Field(
        0, description="Size of the database, such as `1GB`, beyond which the oldest samples are deleted; 0: no limit."
    )
    log_format: Literal["auto", "console", "json"] = Field(
        "auto", description="`json` or `console`; `auto` is console on a terminal."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="What is logged.")
    reference: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Addresses parted by `,`: if none answers either, the agent is blind and its targets excused."
    )
    heartbeat_url: SecretStr | None = Field(
        None, description="Called each minute while the agent is well. Or `SENTINEL_HEARTBEAT_URL_FILE`."
    )
    warmup: PositiveDuration = Field(
        timedelta(minutes=1), description="After a start, failures of probes that never succeeded do not count."
    )
    allow_empty: bool = Field(False, description="Whether a tree without any rule may replace one that has some.")
    allow_commands: bool = Field(False, description="Whether probes of the kind `command` may run programs.")
    url: str = Field("", description="Where commands find the agent; default from SENTINEL_LISTEN.")

    @field_validator("config", "reference", mode="before")
    @classmethod
    def _part(cls, given: Any, info: Any) -> Any:
        if not isinstance(given, str):
            return given
        return tuple(part.strip() for part in given.split(":" if info.field_name == "config" else ",") if part.strip())

    @field_validator("retention_size", mode="before")
    @classmethod
    def _bytes(cls, given: Any) -> Any:
        if not isinstance(given, str) or given == "0":
            return given
        size = parse_quantity(given)
        if size.unit is not Unit.BYTES or size.value < _LEAST_BYTES:
            raise ValueError(f'"{given}" should be 10MB or more, such as 1GB; 0 for no limit')
        return round(size.value)

    @field_validator("listen")
    @classmethod
    def _listen(cls, given: str) -> str:
        Address.parse(given)
        return given

    @field_validator("reference")
    @classmethod
    def _reference(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for address in given:
            Address.parse(address)
        return given

    @field_validator(*_SECRET)
    @classmethod
    def _empty_is_none(cls, given: SecretStr | None) -> SecretStr | None:
        return given if given and given.get_secret_value() else None

    @property
    def address(self) -> Address:
        """Where the HTTP server listens."""
        return Address.parse(self.listen)

    @property
    def agent_url(self) -> str:
        """Where commands find the agent."""
        return agent_url(self.url, self.listen)

    @property
    def secrets(self) -> Iterator[str]:
        """What must stand in no log, page or database, even if a job prints it."""
        for whole in (self.token, self.heartbeat_url):
            if whole is not None:
                yield whole.get_secret_value()
        if self.tokens is not None:
            yield from (one.rpartition(":")[2] for one in re.split(r"[\s,]+", self.tokens.get_secret_value()))

    @property
    def paths(self) -> tuple[Path, ...]:
        """The tree: what was set, else the folders here, else /etc/sentinel."""
        here = tuple(path for path in map(Path, ("probes", "rules", "notifiers")) if path.is_dir())
        return self.config or here or (Path("/etc/sentinel"),)


def load_settings(**over: Any) -> Settings:
    """Read the environment; what a command's options say goes over it.

    Raises:
        SettingsInvalid: naming every setting that cannot be used.
    """
    given = {name: value for name, value in over.items() if value is not None}
    try:
        return Settings(**{**dict(_from_files()), **given})
    except ValidationError as exc:
        said = (
            f"{PREFIX}{str(error['loc'][0]).upper()}: {error['msg'].removeprefix('Value error, ')}"
            for error in exc.errors(include_input=False, include_url=False)
        )
        raise SettingsInvalid("\n".join(said)) from None


def _from_files() -> Iterator[tuple[str, str]]:
    for name in _SECRET:
        variable = f"{PREFIX}{name.upper()}"
        if not (path := os.environ.get(f"{variable}_FILE")):
            continue
        if os.environ.get(variable):
            raise SettingsInvalid(f"{variable}_FILE: {variable} is set too; keep one")
        try:
            yield name, Path(path).read_text().strip()
        except (OSError, UnicodeDecodeError) as exc:
            why = exc.strerror if isinstance(exc, OSError) else "not a text"
            raise SettingsInvalid(f"{variable}_FILE: {path} cannot be read: {why}") from None


def described() -> Iterator[tuple[str, str, str]]:
    """Iterate over name, default and meaning of each setting, for `--help` and the docs."""
    for name, field in Settings.model_fields.items():
        default = "the host's name" if name == "name" else field.get_default()
        if isinstance(default, timedelta):
            from sentinel.core.quantity import format_duration

            default = format_duration(default)
        elif isinstance(default, bool):
            default = "yes" if default else "no"
        yield f"{PREFIX}{name.upper()}", str(default or ""), field.description or ""
