"""From settings to services: the one place that names concrete parts. The web app and the command line use it."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from lib.access import MainKeys
from lib.base import Lifecycle, ModelsFile, Settings, SettingsError, load_models
from lib.base.money import to_nano
from lib.gateway import Behaviour, Chooser, Circuit, Gateway, Limits, Meter, Persistence, Settler, Terms
from lib.ledger import Books
from lib.limits import Prices
from lib.net import HttpClient
from lib.providers import Catalog, build_catalog
from lib.stores import Accounts, Database, open_database
from lib.telemetry import Metrics, NoMetrics, configure_logs, configure_reports


@dataclass(frozen=True, slots=True)
class Services:
    """What a running worker is made of."""

    settings: Settings
    database: Database
    keys: MainKeys
    models: ModelsFile
    catalog: Catalog
    gateway: Gateway
    settler: Settler
    books: Books
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
    books = before.books if before else _build_books(settings, database)
    defaults = models.defaults
    meter = Meter(books, Prices(models), _terms(settings, models))
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
    return Services(
        settings=settings,
        database=database,
        keys=build_keys(settings),
        models=models,
        catalog=catalog,
        gateway=gateway,
        settler=settler,
        books=books,
        lifecycle=before.lifecycle if before else Lifecycle(),
        http=http,
    )


def build_database(settings: Settings) -> Database:
    """The database of DATABASE_URL; connects when it is used. Raises `SettingsError`."""
    try:
        return open_database(settings.database_url.get_secret_value(), settings.store_timeout_seconds)
    except ValueError as error:
        raise SettingsError(f"DATABASE_URL: {error}") from None


def _build_books(settings: Settings, database: Database) -> Books:
    return Books(Accounts(database), lease=settings.lease_seconds, retention=settings.ledger_retention_days * 24 * 3600)


def _terms(settings: Settings, models: ModelsFile) -> Terms:
    return Terms(
        run_cap=to_nano(settings.max_cost_per_run),
        run_ttl=int(settings.run_ttl_hours * 3600 * 1000),
        reserve_output=models.defaults.reserve_output,
        budgets_when_down=settings.budgets_when_down,
        ledger_when_down=settings.ledger_when_down,
    )


def _build_settler(settings: Settings) -> Settler:
    served: set[str] = set()
    return Settler(Metrics(served) if settings.metrics_port else NoMetrics(), served)


def build_keys(settings: Settings) -> MainKeys:
    """The main keys. Without any, only a development server on loopback is open."""
    is_open = settings.environment_type == "development" and settings.loopback_only
    return MainKeys((key.get_secret_value() for key in settings.aiproxy_api_key), open_without_key=is_open)


def configure_telemetry(settings: Settings) -> None:
    """Set up logs and error reports for this process. Raises `SettingsError`."""
    fmt = settings.log_format
    if fmt == "auto":
        fmt = "console" if sys.stdout.isatty() else "json"
    configure_logs(settings.log_level, fmt, settings.secret_values())
    key = settings.honeybadger_api_key
    try:
        configure_reports(
            key.get_secret_value() if key else None, settings.environment_type, settings.honeybadger_endpoint
        )
    except ValueError as error:
        raise SettingsError(f"HONEYBADGER_API_KEY or HONEYBADGER_ENDPOINT: {error}") from None
