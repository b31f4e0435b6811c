"""From settings to services: the one place that names concrete parts. The web app and the command line use it."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from lib.access import AddressList, Callers, Doors, EnvironmentKeys, Failures, ManagedKeys
from lib.base import Lifecycle, ModelsFile, Settings, SettingsError, load_models
from lib.base.errors import StoreUnavailable
from lib.gateway import Chooser, Circuit, Gateway, Limits, Persistence, Settler
from lib.net import HttpClient
from lib.providers import Catalog, build_catalog
from lib.stores import Database, KeyStore, Watch, open_database, prepare, prepare_apart
from lib.telemetry import Metrics, NoMetrics, configure_logs, configure_reports, get_logger

log = get_logger("aiproxy.wiring")
FAILURES = 30  # wrong credentials at once from one address and worker, and in each minute after


@dataclass(frozen=True, slots=True)
class Services:
    """What a running worker is made of."""

    settings: Settings
    database: Database
    store_watch: Watch
    managed_keys: ManagedKeys
    callers: Callers
    models: ModelsFile
    catalog: Catalog
    gateway: Gateway
    settler: Settler
    lifecycle: Lifecycle
    http: HttpClient


def build_services(settings: Settings, models: ModelsFile | None = None, before: Services | None = None) -> Services:
    """Make the services. Opens no connection. Raises `SettingsError`.

    `before` are those that these will replace in the same process: its connections and counters go on.
    """
    models = models or load_models(settings.models_file)
    http = before.http if before else HttpClient()
    catalog = build_catalog(models, settings, http)
    settler = before.settler if before else _build_settler(settings, models)
    database = before.database if before else build_database(settings)
    managed_keys = _build_managed_keys(settings, database, before)
    defaults = models.defaults
    gateway = Gateway(
        Chooser(models, catalog),
        Circuit(models.rest),
        settler,
        Persistence(defaults.attempts, defaults.longest_wait),
        Limits(settings.request_timeout_seconds, settings.ping_seconds),
    )
    return Services(
        settings=settings,
        database=database,
        store_watch=before.store_watch if before else Watch(database, _log_store),
        managed_keys=managed_keys,
        callers=_build_callers(settings, managed_keys, before.callers.failures if before else Failures(FAILURES)),
        models=models,
        catalog=catalog,
        gateway=gateway,
        settler=settler,
        lifecycle=before.lifecycle if before else Lifecycle(),
        http=http,
    )


def _build_settler(settings: Settings, models: ModelsFile) -> Settler:
    served = set(models.models)
    return Settler(Metrics(served) if settings.metrics_port else NoMetrics(), served)


def build_database(settings: Settings) -> Database:
    """The database of DATABASE_URL; connects when it is used. Raises `SettingsError`."""
    try:
        return open_database(settings.database_url.get_secret_value(), settings.store_timeout_seconds)
    except ValueError as error:
        raise SettingsError(f"DATABASE_URL: {error}") from None


def prepare_database(settings: Settings, *, apart: bool = False) -> None:
    """Make the database ready, SQLite by itself; a warning when it cannot be reached. `apart`: from another process.

    Raises `SettingsError` when its tables are not those of this program, with the command that helps.
    """
    build_database(settings)
    work = prepare_apart if apart else prepare
    try:
        wrong = work(settings.database_url.get_secret_value(), settings.store_timeout_seconds)
    except StoreUnavailable as error:
        _log_store(error.detail)
    except ValueError as error:
        raise SettingsError(str(error)) from None
    else:
        if wrong:
            raise SettingsError(wrong)


def build_managed_keys(settings: Settings, database: Database) -> ManagedKeys:
    """The managed keys of a database."""
    secret = settings.key_secret
    return ManagedKeys(KeyStore(database), secret.get_secret_value() if secret else None)


def _build_managed_keys(settings: Settings, database: Database, before: Services | None) -> ManagedKeys:
    """Those of before, with all they remember, unless their secret has changed."""
    if before and before.settings.key_secret == settings.key_secret:
        return before.managed_keys
    return build_managed_keys(settings, database)


def _build_callers(settings: Settings, managed: ManagedKeys, failures: Failures) -> Callers:
    doors = Doors(
        environment=EnvironmentKeys(
            (key.get_secret_value() for key in settings.aiproxy_api_key),
            (key.get_secret_value() for key in settings.proxy_api_key),
        ),
        managed=managed,
        trusted=AddressList.parse(settings.trusted_proxies),
        agents_from=AddressList.parse(settings.allowed_ips),
        open_here=settings.open_here,
    )
    return Callers(doors, failures)


def _log_store(wrong: str | None) -> None:
    if wrong:
        log.warning("the database cannot be used", detail=wrong)
    else:
        log.info("the database can be used again")


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
