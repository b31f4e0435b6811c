"""A path is one row: its route, its guard, its place in the document and its answer from the echo follow from it."""

from __future__ import annotations

import subprocess
import sys

from lib.wire import PATHS
from src import create_app
from tests.src.conftest import settings
from tests.upstream.gateway import KEY, ROOT

ANOTHER = """
import dataclasses
import lib.wire, lib.wire.paths as table
chat = table.path_of(table.Shape.CHAT)
another = dataclasses.replace(chat, route="/v1/another/chat", upstream="/another")
lib.wire.PATHS = table.PATHS = (*table.PATHS, another)

from lib.base import load
from src import create_app
client = create_app(load({"AIPROXY_API_KEY": KEY, "MODELS_FILE": "models.toml"}, "none")).test_client()
body = {"model": "echo", "messages": [{"role": "user", "content": "Hoi"}]}
answer = client.post("/v1/another/chat", json=body, headers={"Authorization": KEY})
assert answer.get_json()["choices"][0]["message"]["content"] == "Hoi", answer.text
assert client.post("/v1/another/chat", json=body).status_code == 401
assert client.get("/v1/another/chat").status_code == 405
assert "post" in client.get("/openapi.json").get_json()["paths"]["/v1/another/chat"]
"""


def test_every_row_has_its_route() -> None:
    rules = {rule.rule: rule.methods for rule in create_app(settings()).url_map.iter_rules()}
    assert {path.route: rules.get(path.route) for path in PATHS} == {path.route: {"POST"} for path in PATHS}


def test_rows_do_not_overlap() -> None:
    assert len({path.route for path in PATHS}) == len({path.shape for path in PATHS}) == len(PATHS)
    assert len({path.name for path in PATHS}) == len(PATHS)


def test_one_more_row_is_one_more_route() -> None:
    program = f"KEY = {KEY!r}\n{ANOTHER}"
    run = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True, cwd=ROOT, env={"PYTHONPATH": "."}
    )
    assert (run.returncode, run.stderr) == (0, "")
