"""From settings to services: the one place that names concrete parts. The web app and the command line use it."""

from __future__ import annotations

from dataclasses import dataclass

from lib.access import MainKeys
from lib.base import Lifecycle, ModelsFile, Settings, load_models
from lib.gateway import Chooser, Circuit, Gateway, Limits, Persistence, Settler
from lib.net import HttpClient
from lib.providers import Catalog, build_catalog
from lib.telemetry import Metrics, configure_logs


@dataclass(frozen=True, slots=True)
class Services:
    """What a running worker is made of."""

    settings: Settings
    keys: MainKeys
    models: ModelsFile
    catalog: Catalog
    gateway: Gateway
    settler: Settler
    metrics: Metrics
    lifecycle: Lifecycle


def build_services(settings: Settings, models: ModelsFile | None = None) -> Services:
    """Make the services. Opens no connection. Raises `SettingsError`."""
    models = models or load_models(settings.models_file)
    catalog = build_catalog(models, settings, HttpClient())
    metrics = Metrics(known_models=frozenset(models.models))
    settler = Settler(metrics)
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
        keys=build_keys(settings),
        models=models,
        catalog=catalog,
        gateway=gateway,
        settler=settler,
        metrics=metrics,
        lifecycle=Lifecycle(),
    )


def build_keys(settings: Settings) -> MainKeys:
    """The main keys. Without any, only a development server on loopback is open."""
    is_open = settings.environment_type == "development" and settings.loopback_only
    return MainKeys((key.get_secret_value() for key in settings.aiproxy_api_key), open_without_key=is_open)


def configure_telemetry(settings: Settings) -> None:
    """Set up logs and error reports for this process."""
    configure_logs(settings.log_level, settings.log_format, settings.secret_values())
