"""The settings: one typed table, read once, passed in.

`load` merges the environment over `config.txt` over Secrets Manager over the defaults. The table
also makes `config.txt.sample` and the README's list (`lib.cli.documents`), so
a setting is described in one place.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from urllib.parse import unquote, urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from lib.base.money import MOST
from lib.base.networks import is_this_machine, parse_networks
from lib.base.price_rows import DEAREST
from lib.base.sources import NOTHING, read_sources, with_password

_WEB_ADDRESS = re.compile(r"https?://[^\s/@?#]+(?:/[^\s?#]*)?")
VENDOR_SETTINGS = ("_API_KEY", "_BASE_URL", "_EMBED_URL")  # how the names end that rows of models.toml may name
_REDIS_ADDRESS = re.compile(
    r"(?:redis|rediss|valkey|valkeys)://(?:[^\s/?#@]*@)?(?:[^\s/@?#:\[\]]+|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?(?:/\d*)?(?:\?\S*)?"
    r"|unix://(?:[^\s/?#@]*@)?/[^\s?]+(?:\?\S*)?"
)
_HOST_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
MIN_KEY_LENGTH = 16  # characters, in test and production
LOCALHOST = "localhost"
NONE = "none"  # the value of a secret that is not used


class SettingsError(Exception):
    """The settings contradict themselves or cannot be parsed. Names no value."""


def _split(value: object) -> object:
    """`a, b,` -> ("a", "b"): comma-separated, blanks ignored."""
    if isinstance(value, str):
        return tuple(part for part in (piece.strip() for piece in value.split(",")) if part)
    return value


Words = Annotated[tuple[str, ...], BeforeValidator(_split)]
Secrets = Annotated[tuple[SecretStr, ...], BeforeValidator(_split)]
SERVES_NOBODY = "serves nobody"  # the context of settings that are read by a command


class Settings(BaseModel):
    """Every setting, its type, its default and its meaning. Instances do not change."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, allow_inf_nan=False)

    environment_type: Literal["development", "test", "production"] = Field(
        "development",
        description="development, test or production. The last two refuse to start without AIPROXY_API_KEY.",
    )
    dns_record: str = Field(
        LOCALHOST,
        description="The service's host name. Unless it is localhost, each secret setting that is not set here is "
        "read from AWS Secrets Manager, as <ENVIRONMENT_TYPE>/<DNS_RECORD>/<setting in lower case>; the value `none` "
        "stands for one that is not used.",
    )
    secrets_to_come: Words = Field(
        (),
        description="Keys of vendors, PROXY_API_KEY or HONEYBADGER_API_KEY, comma-separated, that may have no value in "
        "Secrets Manager yet: they are unset until they have one. Any other secret that is empty refuses the start.",
    )
    secrets_refresh_seconds: float = Field(
        300, ge=0, description="How often Secrets Manager is read again. 0: on SIGHUP only."
    )
    host: str = Field(
        "127.0.0.1",
        description="Address to listen on (0.0.0.0 in the image). Off loopback without a key, "
        "development makes a key for the run and prints it.",
    )
    port: int = Field(5000, ge=0, le=65535, description="Port to listen on.")
    web_concurrency: int = Field(
        default_factory=lambda: os.cpu_count() or 1, ge=1, le=256, description="Worker processes. Default: one a core."
    )
    worker_connections: int = Field(10_000, ge=1, description="Open connections a worker accepts.")
    graceful_timeout_seconds: float = Field(
        310, ge=0, description="On SIGTERM, how long open calls may go on before they are ended."
    )
    drain_seconds: float = Field(
        0, ge=0, description="On SIGTERM, how long to keep accepting while /monitoring/ready already says 503."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = Field("INFO", description="Log level.")
    log_format: Literal["auto", "json", "console"] = Field(
        "auto", description="json, console, or auto: console on a terminal and json elsewhere."
    )
    metrics_port: int = Field(
        8082, ge=0, le=65535, description="Port of the Prometheus metrics, on HOST as well. 0 turns them off."
    )
    cloudwatch_metrics_seconds: float = Field(
        0,
        ge=0,
        description="How often a line of metrics in CloudWatch's embedded metric format is written among the log "
        "lines. 0: never.",
    )
    models_file: Path = Field(Path("models.toml"), description="Providers, models, fallbacks, timeouts, allow lists.")
    access_file: Path = Field(
        Path("access.toml"),
        description="Issuers whose tokens (JWT) are accepted; see access.toml.sample. No such file: no tokens.",
    )
    database_url: SecretStr = Field(
        SecretStr("sqlite:///var/aiproxy.db"),
        description="Keys, budgets and the ledger: sqlite:///<path>, or postgresql+psycopg://<user>:<password>@<host>/"
        "<database> for several machines.",
    )
    database_password: SecretStr | None = Field(None, description="Its password, when DATABASE_URL holds none.")
    store_timeout_seconds: float = Field(
        2,
        gt=0,
        description="The longest that a call waits for a store of ours, "
        "and three times as long for its turn in a crowd; for Redis, 0.25 at most.",
    )
    redis_url: SecretStr | None = Field(
        None,
        description="Redis or Valkey for rates that all machines share: redis://, rediss:// or unix://. "
        "Without it, the workers of a machine share theirs in a file.",
    )
    redis_password: SecretStr | None = Field(None, description="Its password, when REDIS_URL holds none.")
    rates_when_down: Literal["allow", "refuse"] = Field(
        "allow", description="Calls with rates while their counters are down or slow: refuse (503) or allow."
    )
    budgets_when_down: Literal["refuse", "allow"] = Field(
        "refuse", description="Calls with a budget while the database is down or slow: refuse (503) or allow."
    )
    ledger_when_down: Literal["refuse", "allow"] = Field(
        "allow", description="Calls without a budget while the database is down or slow; their rows are written later."
    )
    lease_seconds: float = Field(
        30, ge=1, description="A worker that was silent for so long is taken for dead; its open calls are lost."
    )
    ledger_retention_days: float = Field(400, gt=0, le=36_500, description="How long the ledger keeps its rows.")
    max_cost_per_run: Decimal = Field(
        Decimal("2.0"), gt=0, le=MOST, description="USD that one run of an agent may cost."
    )
    run_ttl_hours: float = Field(24, gt=0, le=876_000, description="How long a run is known after its last call.")
    embedding_price_per_second: Decimal = Field(
        Decimal("0.0001"), ge=0, le=DEAREST, description="USD for each second of an embedding at CHUTES_EMBED_URL."
    )
    request_timeout_seconds: float = Field(300, gt=0, description="Total deadline of a call, retries included.")
    assessment_deadline_seconds: float = Field(
        150, gt=0, description="Total deadline of a grading at /assessment; REQUEST_TIMEOUT_SECONDS bounds it too."
    )
    ping_seconds: float = Field(
        15, gt=0, description="A silent stream gets a `: ping` comment this often, so that balancers keep it open."
    )
    keepalive_seconds: int = Field(
        75, ge=1, description="How long a connection may rest between calls; behind a balancer, longer than its own."
    )
    client_timeout_seconds: float = Field(
        120, gt=0, description="A client that neither reads what it is sent nor sends what it announced is left."
    )
    max_body_bytes: int = Field(32 * 1024 * 1024, gt=0, description="Largest request body. Beyond it: 413.")
    mock_model_responses: bool = Field(
        False, description="Every model answers from the built-in echo provider; everything else runs as usual."
    )
    allowed_origins: Words = Field(
        (), description="Browser origins that may call, comma-separated and exact. `*` is refused at start."
    )
    aiproxy_api_key: Secrets = Field(
        (),
        description="The main key; several, comma-separated, for rotation. Taken raw, as Bearer and as x-api-key.",
    )
    proxy_api_key: Secrets = Field(
        (), description="The key of agents, whose every call belongs to a run; several, comma-separated, for rotation."
    )
    allowed_ips: Words = Field(
        (),
        description="Addresses and CIDR blocks from which PROXY_API_KEY is good, comma-separated. "
        "Empty: from everywhere.",
    )
    trusted_proxies: Words = Field(
        (),
        description="Addresses and CIDR blocks of proxies whose X-Forwarded-For is believed, comma-separated.",
    )
    key_secret: SecretStr | None = Field(
        None,
        description="The secret of the hashes that stand for managed keys; changing it ends them all. "
        "When unset, one is made and kept in the database.",
    )
    openai_api_key: SecretStr | None = Field(None, description="OpenAI's key.")
    openai_base_url: str | None = Field(None, description="OpenAI's base URL, ending in /v1, when not the vendor's.")
    anthropic_api_key: SecretStr | None = Field(None, description="Anthropic's key.")
    anthropic_base_url: str | None = Field(
        None, description="Anthropic's base URL, without /v1, when not the vendor's."
    )
    chutes_api_key: SecretStr | None = Field(None, description="Chutes' key.")
    chutes_base_url: str | None = Field(None, description="Chutes' base URL, ending in /v1, when not the vendor's.")
    chutes_embed_url: str | None = Field(
        None, description="The whole URL of Chutes' embedding call, when not the vendor's."
    )
    aws_region: str = Field("us-east-1", description="Region of Bedrock.")
    aws_endpoint_url: str | None = Field(
        None,
        description="Endpoint of all AWS services, for tests; the next one goes before it.",
    )
    aws_endpoint_url_bedrock_runtime: str | None = Field(None, description="Endpoint of Bedrock's runtime alone.")
    honeybadger_api_key: SecretStr | None = Field(None, description="Report errors to Honeybadger when set.")
    honeybadger_endpoint: str | None = Field(None, description="Honeybadger's address, when not the vendor's.")
    vendor_values: Mapping[str, SecretStr] = Field(
        default_factory=dict,
        exclude=True,
        repr=False,
        description="Not a setting: the keys and addresses that rows of models.toml may name.",
    )

    @field_validator("dns_record")
    @classmethod
    def _host_name(cls, name: str) -> str:
        if not _HOST_NAME.fullmatch(name):
            raise ValueError("must be a host name such as aiproxy.example.org")
        return name

    @field_validator("key_secret")
    @classmethod
    def _long_enough(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and len(secret.get_secret_value()) < MIN_KEY_LENGTH:
            raise ValueError(f"must have at least {MIN_KEY_LENGTH} characters")
        return secret

    @field_validator("honeybadger_endpoint")
    @classmethod
    def _web_address(cls, url: str | None) -> str | None:
        if url is not None and not _WEB_ADDRESS.fullmatch(url):
            raise ValueError("must begin with http:// or https:// and name a host")
        return url

    @field_validator("redis_url")
    @classmethod
    def _redis_address(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not _REDIS_ADDRESS.fullmatch(url.get_secret_value()):
            raise ValueError("must be such as redis://host:6379/0, rediss://user:password@host or unix:///path")
        return url

    @field_validator("allowed_origins")
    @classmethod
    def _exact_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            scheme, _, rest = origin.partition("://")
            if scheme not in ("http", "https") or not rest or "*" in rest or "/" in rest:
                raise ValueError("must list exact origins such as https://studio.example.org")
        return origins

    @field_validator("allowed_ips", "trusted_proxies")
    @classmethod
    def _networks(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        parse_networks(words)
        return words

    @model_validator(mode="after")
    def _closed_by_default(self, info: ValidationInfo) -> Settings:
        if self.environment_type == "development":
            return self
        if not self.aiproxy_api_key and info.context != SERVES_NOBODY:
            raise ValueError(f"AIPROXY_API_KEY must be set when ENVIRONMENT_TYPE is {self.environment_type}")
        for name in ("aiproxy_api_key", "proxy_api_key"):
            if any(len(key.get_secret_value()) < MIN_KEY_LENGTH for key in getattr(self, name)):
                raise ValueError(f"{name.upper()} must have at least {MIN_KEY_LENGTH} characters")
        return self

    @model_validator(mode="after")
    def _apart(self) -> Settings:
        main = {key.get_secret_value() for key in self.aiproxy_api_key}
        if any(key.get_secret_value() in main for key in self.proxy_api_key):
            raise ValueError("PROXY_API_KEY must not be one of AIPROXY_API_KEY: that one may do everything")
        return self

    def vendor_value(self, name: str) -> str | None:
        """The value of a vendor's key or base URL by its setting's name, such as `GROQ_API_KEY`."""
        held = self.vendor_values.get(name)
        return held.get_secret_value() if held else None

    def secret_values(self) -> Iterator[str]:
        """Every secret that is held: what the log's redaction must know."""
        alone = (self.honeybadger_api_key, self.key_secret, self.database_password, self.redis_password)
        for key in (*self.aiproxy_api_key, *self.proxy_api_key, *alone):
            if key is not None:
                yield key.get_secret_value()
        for url in (self.database_url, self.redis_url):
            if url and (password := urlsplit(url.get_secret_value()).password):
                yield from dict.fromkeys((password, unquote(password)))
        for name, value in self.vendor_values.items():
            if not name.endswith("_URL"):
                yield value.get_secret_value()

    @property
    def open_here(self) -> bool:
        """Whether whoever calls from this machine needs no key: in development, without any in the environment."""
        return self.loopback_only and self.environment_type == "development" and not self.has_keys

    @property
    def has_keys(self) -> bool:
        """Whether the environment holds a key of a caller."""
        return bool(self.aiproxy_api_key or self.proxy_api_key)

    @property
    def loopback_only(self) -> bool:
        """Whether the server can be reached from this machine alone."""
        return is_this_machine(self.host)


def setting_names() -> list[str]:
    """The names of all settings as the environment spells them, in the table's order."""
    return [name.upper() for name in Settings.model_fields if name != "vendor_values"]


def secret_settings() -> list[str]:
    """The names of those that hold a secret, or an address that may hold a password, in the table's order."""
    fields = Settings.model_fields
    kinds = {name: fields[name.lower()].annotation for name in setting_names()}
    return [name for name, kind in kinds.items() if kind is SecretStr or SecretStr in get_args(kind)]


def load(
    environ: Mapping[str, str] | None = None,
    config_file: str | os.PathLike[str] = "config.txt",
    secrets: Mapping[str, str] = NOTHING,
    *,
    serves: bool = True,
) -> Settings:
    """Read the settings: environment, then `config_file` if it exists, then `secrets` by setting, then defaults.

    An empty value counts as unset, and so does `none` for a secret. A command that `serves` nobody needs no
    AIPROXY_API_KEY. Raises `SettingsError` with one line for each fault, naming settings and never their values.
    """
    merged = _used(read_sources(environ, config_file, secrets).merged())
    known = {name.lower(): merged[name] for name in setting_names() if name in merged}
    for address, password in (("database_url", "database_password"), ("redis_url", "redis_password")):
        if address in known and password in known:
            known[address] = with_password(known[address], known[password])
    vendor = {name: SecretStr(value.strip()) for name, value in merged.items() if name.endswith(VENDOR_SETTINGS)}
    own = {"AIPROXY_API_KEY", "HONEYBADGER_API_KEY", "PROXY_API_KEY"}
    values: dict[str, Any] = {**known, "vendor_values": {n: v for n, v in vendor.items() if n not in own}}
    try:
        return Settings.model_validate(values, context=None if serves else SERVES_NOBODY)
    except ValidationError as error:
        raise SettingsError("\n".join(_faults(error))) from None


def _used(values: Mapping[str, str]) -> dict[str, str]:
    """All but the secrets of which somebody said that they are not used."""
    secrets = secret_settings()
    return {
        name: value
        for name, value in values.items()
        if value.strip() != NONE or not (name in secrets or name.endswith("_API_KEY"))
    }


def _faults(error: ValidationError) -> Iterator[str]:
    for fault in error.errors(include_input=False, include_url=False):
        name = str(fault["loc"][0]).upper() if fault["loc"] else ""
        text = fault["msg"].removeprefix("Value error, ")
        yield f"{name}: {text}" if name else text
