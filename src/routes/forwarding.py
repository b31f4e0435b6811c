"""The passed-through paths: one route for each row of `lib.wire.PATHS`."""

from __future__ import annotations

from functools import partial

from flask import Blueprint

from lib.wire import PATHS, Dialect
from src.streaming import forward

openai = Blueprint("openai", __name__)
anthropic = Blueprint("anthropic", __name__)

_BLUEPRINTS = {Dialect.OPENAI: openai, Dialect.ANTHROPIC: anthropic}

for _path in PATHS:
    _BLUEPRINTS[_path.dialect].add_url_rule(_path.route, _path.name, partial(forward, _path), methods=["POST"])
