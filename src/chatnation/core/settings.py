"""Instance settings, read from the environment (`CHATNATION_*`)."""

from __future__ import annotations

from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class Role(StrEnum):
    """What a process does. `all` is every role, in as few processes as serve well."""

    ALL = "all"
    COLLECT = "collect"
    PROCESS = "process"
    SERVE = "serve"


class DeploymentMode(StrEnum):
    """Who may make a tenant by signing up: the first who comes, or anybody."""

    WHITELABEL = "whitelabel"
    SAAS = "saas"


class Settings(BaseSettings):
    """Everything an operator can set for the instance. Each field is `CHATNATION_<FIELD>` in the environment."""

    model_config = SettingsConfigDict(env_prefix="CHATNATION_", frozen=True, extra="ignore")

    data_dir: Path = Field(Path("chatnation-data"), description="Folder of the embedded servers, secrets and uploads.")
    database_url: str | None = Field(None, description="PostgreSQL 15 or newer. Unset: an embedded server is started.")
    redis_url: str | None = Field(None, description="Redis 7, Valkey 8 or newer. Unset: an embedded server is started.")
    queue_url: str | None = Field(
        None, description="Address of another log that a plugin knows. Unset: the streams of CHATNATION_REDIS_URL."
    )
    secret_key: SecretStr | None = Field(
        None, description="Signs and hashes tokens, at least 32 characters. Embedded mode makes and keeps one."
    )
    encryption_keys: SecretStr | None = Field(
        None,
        description="Encrypt secrets at rest: 32 bytes each as hex or base64, separated by commas; the first encrypts,"
        " all decrypt. Embedded mode makes and keeps one.",
    )
    host: str = Field("127.0.0.1", description="Address that the web processes listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port that the web processes listen on; 0 picks a free one.")
    workers: int = Field(1, ge=1, le=64, description="Web processes.")
    processors: int = Field(2, ge=1, le=64, description="Processes that store events and run jobs.")
    public_url: str | None = Field(None, description="Address that browsers use, when a proxy stands in front.")
    deployment_mode: DeploymentMode = Field(
        DeploymentMode.WHITELABEL,
        description="`whitelabel`: signing up ends with the first tenant; `saas`: anybody may sign up.",
    )
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        (), description="Networks whose X-Forwarded-For and X-Forwarded-Proto are believed, separated by commas."
    )
    outgoing_allowed: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        (),
        description="Private networks that the product may call, separated by commas: for an issuer of single sign-on"
        " inside the house, for example. All others are refused.",
    )
    log_format: str = Field("text", pattern="^(text|json)$", description="`text` for people, `json` for machines.")
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="Lowest level that is logged.")

    strict: bool = Field(False, description="Any plugin failure stops the start.")
    plugins_disabled: Annotated[frozenset[str], NoDecode] = Field(
        frozenset(), description="Plugins that this instance leaves out, separated by commas."
    )
    plugin_paths: Annotated[tuple[Path, ...], NoDecode] = Field(
        (), description="Python files that hold a plugin each, separated by commas."
    )

    max_body_bytes: int = Field(1_000_000, ge=1_000, description="Largest request body after inflating, in bytes.")
    max_batch_events: int = Field(500, ge=1, description="Most events in one native capture request.")
    rate_limit_per_key: int = Field(
        600_000, ge=0, description="Capture requests a minute for one write key; 0: no limit."
    )
    rate_limit_per_ip: int = Field(12_000, ge=0, description="Capture requests a minute from one address; 0: no limit.")
    skew_tolerance_seconds: int = Field(
        60,
        ge=0,
        description="A client clock that is off by no more than this is left alone, so that a retry repeats its time.",
    )
    future_tolerance_seconds: int = Field(300, ge=0, description="Events further ahead than this get the receive time.")

    stream_partitions: int = Field(1, ge=1, le=256, description="Streams that events are spread over, by visitor.")
    stream_max_events: int = Field(
        2_000_000, ge=1, description="Events that may wait in the stream; beyond it the collector answers 503."
    )
    process_batch_events: int = Field(10_000, ge=1, description="Most events stored in one transaction.")
    process_batch_wait_ms: int = Field(200, ge=1, description="Longest wait for a fuller batch, in milliseconds.")
    process_claim_after_ms: int = Field(
        30_000, ge=100, description="Entries that a silent consumer held this long are taken over, in milliseconds."
    )
    retention_days: int | None = Field(
        None, ge=1, description="Days that events are kept, rounded up to whole months; unset: for ever."
    )
    event_store: str = Field("postgresql", description="Who answers questions of events: a store that a plugin has.")
    query_concurrency: int = Field(
        4,
        ge=1,
        le=1_000,
        description="Questions of one tenant answered at once, in a process; more wait for a turn.",
    )
    query_timeout_seconds: float = Field(30, gt=0, description="Longest time that an answer may take, in seconds.")
    query_cache_bytes: int = Field(
        64_000_000, ge=0, description="Memory for answers that a process keeps, about, in bytes; 0: it keeps none."
    )
    query_columns_bytes: int = Field(
        256_000_000, ge=0, description="Memory for columns of events that a process keeps for questions, in bytes."
    )
    query_export_rows: int = Field(
        100_000, ge=1, description="Most rows in one exported answer, which says when it is cut."
    )
    database_pool_size: int = Field(5, ge=1, description="Database connections a process keeps.")

    @field_validator("trusted_proxies", "outgoing_allowed", "plugins_disabled", "plugin_paths", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        return value

    @property
    def embedded(self) -> bool:
        """Whether this instance starts a server of its own."""
        return self.database_url is None or self.redis_url is None
