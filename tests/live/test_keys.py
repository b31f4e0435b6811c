"""Managed keys, made and ended. `bin/live-test` revokes what is left of them when this does not come to its end."""

from __future__ import annotations

import os
import time

from tests.live.conftest import RUN, Caller

REVOKED_WITHIN = 5.0  # seconds, as API.md promises; and as much again for the way


def test_a_key_opens_what_it_was_made_for_until_it_is_revoked(admin):
    name = f"{RUN}-short-lived"
    made = admin.ask("POST", "/admin/keys", json={"name": name, "models": ["echo"], "budgets": ["0.01/total"]})
    assert made.status_code == 200, made.text
    with Caller(made.json()["key"]) as caller:
        assert caller.ask("GET", "/v1/models").status_code == 200
        assert caller.ask("GET", "/admin/keys").status_code == 403
        refused = {"model": os.environ["LIVE_MODEL"] + "-of-others", "messages": [], "max_tokens": 1}
        assert caller.ask("POST", "/v1/chat/completions", json=refused).status_code in (400, 403, 404)
        assert admin.ask("DELETE", f"/admin/keys/{name}").json()["state"] == "revoked"
        end = time.monotonic() + 2 * REVOKED_WITHIN
        while caller.ask("GET", "/v1/models").status_code != 401:
            assert time.monotonic() < end
            time.sleep(0.2)
