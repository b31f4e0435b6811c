"""Every blueprint, beside its guard and its error family. Nothing is served that is not in this list."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Flask, g, request

from lib.access import ADMIN
from lib.base.errors import Forbidden
from src import errors
from src.context import observation, services
from src.guards import Guard, needs_key, open_to_all
from src.routes import admin, agents, assessment, docs, forwarding, health, helpers, models, usage


@dataclass(frozen=True, slots=True)
class Entry:
    """One blueprint, who may enter it, how its errors look, and the scope that it asks of a caller."""

    blueprint: Blueprint
    guard: Guard
    family: errors.Family
    scope: str | None = None


ENTRIES = (
    Entry(forwarding.openai, needs_key, errors.openai_family, "openai"),
    Entry(forwarding.anthropic, needs_key, errors.anthropic_family, "anthropic"),
    Entry(models.blueprint, needs_key, errors.openai_family),
    Entry(agents.guide, needs_key, errors.guide_family, "agents"),
    Entry(agents.evaluation, needs_key, errors.evaluation_family, "agents"),
    Entry(assessment.blueprint, needs_key, errors.plain_family, "assessment"),
    Entry(usage.blueprint, needs_key, errors.openai_family),
    Entry(admin.blueprint, needs_key, errors.openai_family, ADMIN),
    Entry(helpers.free, open_to_all, errors.plain_family),
    Entry(helpers.paid, needs_key, errors.plain_family, "openai"),
    Entry(health.blueprint, open_to_all, errors.openai_family),
    Entry(docs.blueprint, open_to_all, errors.openai_family),
)


def install(app: Flask) -> None:
    """Register every blueprint; its guard runs before each of its requests."""
    entries = {entry.blueprint.name: entry for entry in ENTRIES}
    app.extensions[docs.GUARDED] = {name: entry.guard is not open_to_all for name, entry in entries.items()}
    errors.FAMILIES.update({entry.blueprint.name: entry.family for entry in ENTRIES})

    def enter() -> None:
        """Let the guard of the blueprint decide. A request outside every blueprint is a 404 or 405 by now."""
        if request.url_rule is not None:
            observation().route = request.url_rule.rule
            entry = entries[str(request.blueprint)]
            g.caller = entry.guard(services())
            record = observation().record
            record.caller, record.route, record.family = g.caller.name, request.url_rule.rule, entry.scope or ""
            if entry.scope is not None and entry.scope not in g.caller.scopes:
                raise Forbidden

    app.before_request(enter)
    for entry in ENTRIES:
        app.register_blueprint(entry.blueprint)
