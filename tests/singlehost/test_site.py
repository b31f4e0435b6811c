"""The site in a real nginx, in front of the installed server: what a caller gets through it."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.drills.client import CHAT, HELLO, MESSAGES, Connection, Said, begin_upload
from tests.servers import Nginx
from tests.singlehost.conftest import MOST
from tests.singlehost.door import Door, ask, plain
from tests.singlehost.installed import DOMAIN, Machine
from tests.upstream import Gateway, free_ports

CALL = {"model": "openai/m", "messages": HELLO}


@pytest.fixture
def door(machine: Machine, server: Gateway, nginx: Nginx) -> Iterator[Door]:
    """A connection through nginx."""
    with closing(Door(machine, server)) as made:
        yield made


# ---- answers ----


def test_a_whole_answer(door, server, vendor, seen):
    door.ask("openai/m")
    said = door.said()
    assert (said.status, said.json["model"]) == (200, "m")
    assert said.headers["strict-transport-security"].startswith("max-age=")
    assert seen.call.model == "m"


def test_a_stream_comes_event_by_event(door, vendor, seen):
    vendor.plan("silent-stream-2")  # two events, and then nothing: they are here while the answer is not over
    door.ask("openai/m", stream=True)
    assert door.events(2).count(b"data: ") >= 2
    assert seen.call.ended_at is None


def test_a_silent_stream_is_kept_open_by_pings(door, vendor, seen):
    vendor.plan("silent-stream-1")
    door.ask("openai/m", stream=True)
    blocks = door.blocks()
    heard = b""
    while heard.count(b": ping\n") < 3:
        heard += next(blocks)
    assert seen.call.ended_at is None


@pytest.mark.parametrize("behaviour", ["silent", "silent-head"])
def test_silence_is_ended_by_the_proxy_and_not_by_nginx(door, vendor, seen, behaviour):
    vendor.plan(behaviour)
    door.ask("openai/m")
    said = door.said()
    assert (said.status, said.json["error"]["code"]) == (504, "deadline_exceeded")


def test_a_stream_past_its_time_ends_with_words(door, vendor, seen):
    vendor.plan("silent-stream-1")
    door.ask("openai/m", stream=True)
    assert b'"deadline_exceeded"' in b"".join(door.blocks())


def test_connections_to_the_proxy_are_kept(machine, nginx, vendor, tmp_path):
    other = beside(machine, tmp_path, port=str(vendor.port))
    other.install()
    with _running(other.nginx()):
        before = len(vendor.calls)
        for _ in range(3):
            assert ask(other, None, "/v1/chat/completions", CALL).status == 200  # on a new connection to nginx
        calls = vendor.calls[before:]
        assert len({call.connection for call in calls}) == 1
        assert {call.header("host") for call in calls} == {DOMAIN}


# ---- requests ----


def test_an_upload_goes_on_as_it_comes(door, vendor, seen):
    begin_upload(door, "openai/whisper-1", 1_000_000)
    vendor.wait(lambda _: seen.calls and seen.call.arrivals)
    assert seen.call.received_at is None


def test_a_large_upload_arrives(door, vendor, seen):
    size = MOST - 10_000
    begin_upload(door, "openai/whisper-1", size, b"\r\n--b--\r\n")
    door.sock.sendall(b"\r\n--b--\r\n")
    assert door.said().status == 200
    assert seen.call.file_size == size


@pytest.mark.parametrize(
    ("path", "telling"),
    [
        (CHAT, lambda body: body["error"]["code"]),
        (MESSAGES, lambda body: body["error"]["type"]),
        ("/agents/inference", lambda body: body["detail"] and "request_too_large"),
    ],
)
def test_too_large_a_body_is_refused_in_the_callers_shape(door, server, path, telling):
    door.sock.sendall(door.head("POST", path, {"Content-Type": "application/json", "Content-Length": str(MOST + 1)}))
    said = door.said()
    assert (said.status, said.headers["content-type"]) == (413, "application/json")
    assert telling(said.json) == "request_too_large"


def test_what_fits_is_judged_by_the_proxy(machine, server, nginx):
    said = ask(machine, server, CHAT, {"model": "no/such", "messages": HELLO, "junk": "x" * (MOST - 1000)})
    assert (said.status, said.json["error"]["code"]) == (404, "model_not_found")


def test_a_caller_that_leaves_cancels_the_vendors_work(door, vendor, seen):
    vendor.plan("stream-1000-0.05")
    door.ask("openai/m", stream=True)
    door.events(2)
    door.close()
    seen.cancelled()


def test_a_caller_that_leaves_before_an_answer_does_too(door, vendor, seen):
    vendor.plan("silent")
    door.ask("openai/m")
    vendor.wait(lambda _: seen.calls and seen.call.received_at)
    door.close()
    seen.cancelled()


def test_http_is_sent_to_https(machine, nginx):
    said = plain(machine, "/v1/models?x=1")
    assert said.status == 308
    assert said.headers["location"] == f"https://{DOMAIN}:{machine.flags['https-port']}/v1/models?x=1"


# ---- addresses ----

CLAIMED = "203.0.113.7"


@pytest.fixture(scope="module")
def bound_key(machine: Machine, server: Gateway, nginx: Nginx) -> str:
    """A key that is good from one address only, which is not ours."""
    fields = {"name": "from-afar", "allow_ips": [CLAIMED]}
    said = ask(machine, server, "/admin/keys", fields)
    assert said.status == 200, said.body
    return str(said.json["key"])


def _models(machine: Machine, key: str, *forwarded: str) -> Said:
    """The answer to a caller with a key, who claims to be forwarded."""
    with closing(Door(machine, key=key)) as door:
        lines = "".join(f"X-Forwarded-For: {each}\r\n" for each in forwarded).encode()
        head = door.head("GET", "/v1/models", {})
        door.sock.sendall(head[:-2] + lines + b"\r\n")
        return door.said()


@pytest.mark.parametrize("forwarded", [[], [CLAIMED], [f"{CLAIMED}, 127.0.0.1"], [CLAIMED, CLAIMED]])
def test_what_a_caller_claims_about_its_address_ends_at_nginx(machine, bound_key, forwarded):
    assert _models(machine, bound_key, *forwarded).status == 401


def test_the_same_claim_counts_without_nginx(server, bound_key):
    with closing(Connection(server, key=bound_key)) as connection:
        connection.sock.sendall(connection.head("GET", "/v1/models", {"X-Forwarded-For": CLAIMED}))
        assert connection.said().status == 200


def test_behind_other_proxies_it_is_they_who_are_believed(machine, bound_key, tmp_path):
    other = beside(machine, tmp_path)
    other.install("--behind", "127.0.0.0/8,10.0.0.1")
    with _running(other.nginx()):
        assert _models(other, bound_key, CLAIMED).status == 200
        assert _models(other, bound_key, f"{CLAIMED}, 198.51.100.9").status == 401
        assert _models(other, bound_key, "198.51.100.9, " + CLAIMED + ", 10.0.0.1").status == 200


# ---- in operation ----


def test_settings_are_read_again_and_no_stream_is_disturbed(machine, door, server, vendor, seen):
    vendor.plan("stream-20-0.05")
    door.ask("openai/m", stream=True)
    heard = door.events(2)
    config = machine.at("/etc/aiproxy/config.txt")
    new = "another-key-of-the-tests-0123456789"
    config.write_text(config.read_text().replace(server.key, f"{server.key},{new}"))
    server.signal(signal.SIGHUP)  # as ExecReload does
    server.wait_for_line(lambda line: line["event"] == "reloaded")
    server.wait_for_line(lambda line: sum(each["event"] == "reloaded" for each in server.log_lines()) == 2)
    with closing(Door(machine, key=new)) as other:
        assert other.get("/v1/models").status == 200
    assert (heard + b"".join(door.blocks())).endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize(
    ("path", "telling"),
    [
        (CHAT, lambda body: body["error"]["code"] == "shutting_down"),
        (MESSAGES, lambda body: body["type"] == "error" and body["error"]["type"] == "api_error"),
        ("/api/inference", lambda body: body["detail"]),
    ],
)
def test_while_the_proxy_is_away_callers_are_asked_to_come_back(machine, nginx, tmp_path, path, telling):
    away = beside(machine, tmp_path, port=str(free_ports(1)[0]))  # nobody listens there
    away.install()
    with _running(away.nginx()):
        said = ask(away, None, path, CALL)
    assert (said.status, said.headers["retry-after"]) == (503, "5")
    assert telling(said.json)


def test_no_log_of_nginx_has_a_query(machine, server, nginx, door):
    assert door.get("/test/assessment/blank?api-key=sk-of-a-caller-0123").status == 200
    logs = [path for path in (machine.root.parent / "nginx").iterdir() if path.suffix == ".log"]
    end = time.monotonic() + 30  # it is written after the answer
    while not any("GET /test/assessment/blank HTTP/1.1" in path.read_text() for path in logs):
        assert time.monotonic() < end
        time.sleep(0.02)
    assert [path.name for path in logs if "sk-of-a-caller" in path.read_text()] == []


def beside(machine: Machine, folder: Path, **flags: str) -> Machine:
    """Another site for the same server, on ports of its own."""
    http_port, https_port = free_ports(2)
    own = {"http-port": str(http_port), "https-port": str(https_port)}
    return Machine(folder / "root", {**machine.flags, **own, **flags})


@contextmanager
def _running(nginx: Nginx) -> Iterator[Nginx]:
    try:
        nginx.start()
        yield nginx
    finally:
        nginx.stop()
