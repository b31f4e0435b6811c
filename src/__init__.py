"""The web floor: the only code that knows Flask."""

from __future__ import annotations

from flask import Flask

from lib.base import ModelsFile, Settings, load
from lib.wiring import Services, build_services
from src import cors, errors, observe, routes
from src.context import EXTENSION


def create_app(settings: Settings | None = None, services: Services | None = None) -> Flask:
    """The WSGI application. Reads the settings and wires the services itself unless given them.

    Raises `lib.base.SettingsError` when the settings or the models file are wrong.
    """
    settings = settings or load()
    services = services or build_services(settings)
    app = Flask("src", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.extensions[EXTENSION] = services
    errors.install(app)
    routes.install(app)
    cors.install(app, settings.allowed_origins)
    observe.install(app, services)
    services.lifecycle.ready()
    return app


def renew(app: Flask, settings: Settings, models: ModelsFile) -> None:
    """Go over to other settings and models, for the requests that come from now on. Open calls end as they began.

    What belongs to the server (address, workers, log, metrics, the stores, origins) stays. Raises `SettingsError`,
    and then nothing changed.
    """
    before: Services = app.extensions[EXTENSION]
    app.extensions[EXTENSION] = build_services(settings, models, before)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
