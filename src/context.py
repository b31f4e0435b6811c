"""What a request carries besides itself, and where to find it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

from flask import current_app, g, request

from lib.access import Caller
from lib.gateway import Record
from lib.wiring import Services

EXTENSION = "aiproxy"
OBSERVATION = "aiproxy.observation"


@dataclass(slots=True)
class Observation:
    """What is known of a request: its id, the template of its route, and the record of the call in it."""

    request_id: str
    route: str = "unmatched"
    record: Record = field(default_factory=Record)


def services() -> Services:
    """The services of the running application."""
    return cast(Services, current_app.extensions[EXTENSION])


def observation() -> Observation:
    """What is known of the current request; the access line is written from it."""
    return cast(Observation, request.environ[OBSERVATION])


def caller() -> Caller:
    """Who calls. Only behind a guard."""
    return cast(Caller, g.caller)
