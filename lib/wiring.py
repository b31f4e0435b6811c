"""From settings to services: the one place that names concrete parts. The web app and the command line use it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import msgspec

from lib.access import (
    AccessFile,
    AddressList,
    Callers,
    Doors,
    EnvironmentKeys,
    Failures,
    ManagedKeys,
    Tokens,
    load_access,
)
from lib.agents import Agents, Evaluation, Guide, Models
from lib.assessment import Grader, GradingTerms, Trees, fingerprint
from lib.base import Lifecycle, ModelsFile, PriceRow, Settings, SettingsError, is_pattern, load_models
from lib.base.money import to_nano
from lib.gateway import Behaviour, Chooser, Circuit, Gateway, Limits, Meter, Persistence, Settler, Terms
from lib.ledger import Books
from lib.limits import Prices, Rates
from lib.net import HttpClient, aws
from lib.providers import Catalog, build_catalog
from lib.stores import Accounts, Counters, Database, Guarded, KeyStore, counters_path, open_counters, open_database
from lib.telemetry import Metrics, NoMetrics, configure_logs, configure_reports
from lib.wire import Shape

FAILURES = 30  # wrong credentials at once from one address and worker, and in each minute after


@dataclass(frozen=True, slots=True)
class Services:
    """What a running worker is made of."""

    settings: Settings
    database: Database
    managed_keys: ManagedKeys
    access: AccessFile
    tokens: Tokens
    callers: Callers
    models: ModelsFile
    catalog: Catalog
    gateway: Gateway
    guide: Guide
    evaluation: Evaluation
    grader: Grader
    settler: Settler
    books: Books
    counters: Counters
    lifecycle: Lifecycle
    http: HttpClient


def build_services(settings: Settings, models: ModelsFile | None = None, before: Services | None = None) -> Services:
    """Make the services. Opens no connection. Raises `SettingsError`.

    `before` are those that these will replace in the same process: its connections and counters go on.
    """
    models = models or load_models(settings.models_file)
    http = before.http if before else HttpClient()
    catalog = build_catalog(models, settings, http)
    settler = before.settler if before else _build_settler(settings)
    settler.know(models.names())
    database = before.database if before else build_database(settings)
    managed_keys = _build_managed_keys(settings, database, before)
    access = load_access(settings.access_file)
    tokens = before.tokens if before and before.access == access else Tokens(access)
    failures = before.callers.failures if before else Failures(FAILURES)
    books = before.books if before else build_books(settings, database, settler)
    defaults = models.defaults
    prices = build_prices(settings, models)
    counters = before.counters if before else build_counters(settings)
    rates = Rates(counters, settings.rates_when_down, on_unavailable=partial(settler.store_failed, "rates"))
    meter = Meter(books, prices, rates, _terms(settings, models))
    gateway = Gateway(
        Chooser(models, catalog),
        Circuit(models.rest),
        meter,
        settler,
        Behaviour(
            Persistence(defaults.attempts, defaults.longest_wait),
            Limits(settings.request_timeout_seconds, settings.ping_seconds),
        ),
    )
    agents = _build_agents(gateway, models, prices, catalog)
    return Services(
        settings=settings,
        database=database,
        managed_keys=managed_keys,
        access=access,
        tokens=tokens,
        callers=Callers(_build_doors(settings, managed_keys, tokens), failures),
        models=models,
        catalog=catalog,
        gateway=gateway,
        guide=Guide(agents),
        evaluation=Evaluation(agents),
        grader=Grader(gateway, Trees.load(), _grading_terms(settings, models, gateway, catalog)),
        settler=settler,
        books=books,
        counters=counters,
        lifecycle=before.lifecycle if before else Lifecycle(),
        http=http,
    )


def _build_agents(gateway: Gateway, models: ModelsFile, prices: Prices, catalog: Catalog) -> Agents:
    known = (name for name in models.prices if not is_pattern(name))
    return Agents(gateway, Models(models.agents, gateway.chooser, prices, known=known, offline=catalog.offline))


def _grading_terms(settings: Settings, models: ModelsFile, gateway: Gateway, catalog: Catalog) -> GradingTerms:
    """What the operator decides of gradings. The default model needs AWS: on a development server to which nothing
    points, the gateway's own stands in. Elsewhere nothing does: an echo would grade students at random."""
    connected = settings.environment_type != "development" or aws.is_pointed_at(
        os.environ, settings.aws_endpoint_url_bedrock_runtime or settings.aws_endpoint_url
    )
    default = models.assessment.default_model if connected else None
    return GradingTerms(
        deadline=settings.assessment_deadline_seconds,
        default_model=default or gateway.chooser.default_model,
        titles={name: row.title for name, row in models.providers.items() if row.title},
        fingerprint=fingerprint(_where_names_lead(settings, models, catalog)),
        rehearsed=settings.mock_model_responses,
    )


def _where_names_lead(settings: Settings, models: ModelsFile, catalog: Catalog) -> Iterator[bytes]:
    """All that decides which vendor, at which address, answers for a model's name."""
    yield msgspec.json.encode(msgspec.structs.replace(models, prices={}), order="sorted")
    yield msgspec.json.encode([settings.mock_model_responses, sorted(catalog.available), sorted(catalog.keyless)])
    addresses = [row.address or f"{name.upper().replace('-', '_')}_BASE_URL" for name, row in models.providers.items()]
    yield msgspec.json.encode([settings.vendor_value(address) for address in addresses])
    bedrock = (settings.aws_region, settings.aws_endpoint_url, settings.aws_endpoint_url_bedrock_runtime)
    yield msgspec.json.encode(bedrock)


def build_prices(settings: Settings, models: ModelsFile) -> Prices:
    """The prices of the models file; for embeddings at an address of their own, where it has none, the setting's."""
    price = PriceRow(second=settings.embedding_price_per_second)
    rows = {f"{name}/*": price for name, row in models.providers.items() if row.shapes == (Shape.EMBED,)}
    return Prices(msgspec.structs.replace(models, prices=rows | models.prices))


def build_database(settings: Settings) -> Database:
    """The database of DATABASE_URL. Connects when it is first used. Raises `SettingsError`."""
    try:
        database = open_database(settings.database_url.get_secret_value(), settings.store_timeout_seconds)
    except ValueError as error:
        raise SettingsError(f"DATABASE_URL: {error}") from None
    return Guarded(database)


def build_books(settings: Settings, database: Database, settler: Settler) -> Books:
    """The books of a database."""
    return Books(
        Accounts(database),
        lease=settings.lease_seconds,
        retention=settings.ledger_retention_days * 24 * 3600,
        on_unavailable=partial(settler.store_failed, "database"),
    )


def build_counters(settings: Settings) -> Counters:
    """The counters of requests and tokens a minute. Connects when they are first used."""
    redis_url = settings.redis_url.get_secret_value() if settings.redis_url else None
    file = counters_path(settings.database_url.get_secret_value())
    return open_counters(redis_url, file, settings.store_timeout_seconds)


def _terms(settings: Settings, models: ModelsFile) -> Terms:
    return Terms(
        run_cap=to_nano(settings.max_cost_per_run),
        run_ttl=int(settings.run_ttl_hours * 3600 * 1000),
        reserve_output=models.defaults.reserve_output,
        reserve_input=models.defaults.reserve_input,
        budgets_when_down=settings.budgets_when_down,
        ledger_when_down=settings.ledger_when_down,
    )


def _build_settler(settings: Settings) -> Settler:
    served: set[str] = set()
    counted = settings.metrics_port or settings.cloudwatch_metrics_seconds
    return Settler(Metrics(served) if counted else NoMetrics(), served)


def build_managed_keys(settings: Settings, database: Database) -> ManagedKeys:
    """The managed keys of a database."""
    secret = settings.key_secret
    return ManagedKeys(KeyStore(database), secret.get_secret_value() if secret else None)


def _build_managed_keys(settings: Settings, database: Database, before: Services | None) -> ManagedKeys:
    """Those of before, with all they remember, unless their secret has changed."""
    if before and before.settings.key_secret == settings.key_secret:
        return before.managed_keys
    return build_managed_keys(settings, database)


def _build_doors(settings: Settings, managed_keys: ManagedKeys, tokens: Tokens) -> Doors:
    """The ways in. Without any key in the environment, only a development server on loopback is open."""
    return Doors(
        environment=EnvironmentKeys(
            (key.get_secret_value() for key in settings.aiproxy_api_key),
            (key.get_secret_value() for key in settings.proxy_api_key),
        ),
        managed=managed_keys,
        tokens=tokens or None,
        trusted=AddressList.parse(settings.trusted_proxies),
        agents_from=AddressList.parse(settings.allowed_ips),
        open_here=settings.open_here,
    )


def configure_telemetry(settings: Settings) -> None:
    """Set up logs and error reports for this process. Raises `SettingsError`."""
    fmt = settings.log_format
    if fmt == "auto":
        fmt = "console" if sys.stdout.isatty() else "json"
    configure_logs(settings.log_level, fmt, settings.secret_values())
    renew_reports(settings)


def renew_reports(settings: Settings) -> None:
    """Report errors as these settings say, from now on. Raises `SettingsError`, and then nothing changed."""
    key = settings.honeybadger_api_key
    try:
        configure_reports(
            key.get_secret_value() if key else None, settings.environment_type, settings.honeybadger_endpoint
        )
    except ValueError as error:
        raise SettingsError(f"HONEYBADGER_API_KEY or HONEYBADGER_ENDPOINT: {error}") from None
