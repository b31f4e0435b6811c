"""Redis: equal to `limits`' own storage, and never a reason to wait, whatever happens to it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from limits.storage import RedisStorage

from lib.base.errors import StoreUnavailable
from lib.stores import Breaker, Hit
from lib.stores.redis import LONGEST_TIMEOUT, MAX_CONNECTIONS, RedisCounters
from lib.stores.redis_scripts import TAKE
from tests.lib.providers.patched import Patched
from tests.lib.stores.shared import RedisShared
from tests.lib.stores.slow_road import saying, slow
from tests.servers import Authority, Redis
from tests.upstream.ports import LOOPBACK, Ports

HIT = Hit("requests/ada", 1000, 60, 1)
GENEROUS = 2.0  # seconds for what takes some 0.25 s

# Both scripts in one, on a store of the five commands that they use, whose clock stands still between the steps.
BOTH = f"""
local function store()
  local values, ends, now = {{}}, {{}}, 0
  local self = {{pass = function(pause) now = now + pause end}}
  function self.call(name, key, first, _, life)
    if ends[key] and ends[key] <= now then values[key], ends[key] = nil, nil end
    if name == 'get' then return values[key] or false end
    if name == 'exists' then return values[key] and 1 or 0 end
    if name == 'pttl' then return values[key] and ends[key] - now or -2 end
    if name == 'incrby' then values[key] = tostring(values[key] + first) return tonumber(values[key]) end
    if name == 'set' then values[key], ends[key] = tostring(first), now + life return end
    if name == 'rename' then values[first], ends[first], values[key], ends[key] = values[key], ends[key] return end
    error(name)
  end
  return self
end
local function theirs(redis, KEYS, ARGV)
{RedisStorage.SCRIPT_ACQUIRE_SLIDING_WINDOW.decode()}
end
local function seen(redis, KEYS, ARGV)
{RedisStorage.SCRIPT_SLIDING_WINDOW.decode()}
end
local function ours(redis, KEYS, ARGV)
{TAKE}
end
local here, there, answers = store(), store(), {{}}
for i = 2, #ARGV, 2 do
  here.pass(tonumber(ARGV[i]))
  there.pass(tonumber(ARGV[i]))
  local words = {{ARGV[1], 60, ARGV[i + 1]}}
  local hit = theirs(there, {{'p', 'c'}}, words) and 1 or 0
  local stands = seen(there, {{'p', 'c'}}, {{60}})
  for place, count in ipairs(stands) do stands[place] = math.max(tonumber(count or 0), 0) end
  answers[#answers + 1] = {{hit, unpack(stands)}}
  answers[#answers + 1] = ours(here, {{'p', 'c'}}, words)
end
return answers
"""


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(limit=st.integers(1, 12), steps=st.lists(st.tuples(st.integers(0, 100_000), st.integers(1, 12)), max_size=25))
@example(limit=5, steps=[(0, 5), (60_000, 1), (1, 5), (59_999, 1), (60_000, 1), (120_000, 5)])
def test_equal_to_limits_in_redis(redis_server: Redis, limit, steps):
    with redis.Redis.from_url(redis_server.url) as client:
        answers = client.eval(BOTH, 0, limit, *(number for step in steps for number in step))
    assert answers[1::2] == answers[::2]


# ---- trouble ----


@pytest.fixture
def counters(own_redis: Redis) -> Iterator[RedisCounters]:
    made = RedisCounters(own_redis.url, 2.0)
    yield made
    made.close()


def asked(counters: RedisCounters, times: int = 50) -> tuple[float, list[str]]:
    """Seconds for so many calls, and why each failed ("" for those that did not)."""
    started = time.monotonic()
    reasons = [reason(counters) for _ in range(times)]
    return time.monotonic() - started, reasons


def reason(counters: RedisCounters) -> str:
    try:
        counters.take((HIT,))
    except StoreUnavailable as error:
        return str(error.detail)
    return ""


def until_it_answers(counters: RedisCounters) -> None:
    end = time.monotonic() + 30
    while reason(counters):
        assert time.monotonic() < end, "it did not come back"
        time.sleep(0.05)


def test_connects_when_first_asked():
    RedisCounters("redis://nobody.invalid:1", 2.0).close()


def test_a_frozen_redis_costs_one_call_the_timeout(own_redis: Redis, counters: RedisCounters):
    counters.take((HIT,))
    with own_redis.frozen():
        seconds, reasons = asked(counters)
    assert all(reasons)
    assert [text for text in reasons if "not asked" not in text] == [reasons[0]]
    assert seconds < GENEROUS
    until_it_answers(counters)


def test_a_redis_that_is_frozen_from_the_start(own_redis: Redis, counters: RedisCounters):
    with own_redis.frozen():
        seconds, reasons = asked(counters)
    assert all(reasons)
    assert seconds < GENEROUS


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """One that this machine trusts."""
    made = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.file))
    return made


@pytest.fixture
def secure(tmp_path: Path, authority: Authority) -> Iterator[Redis]:
    """A Redis with a certificate for the name localhost."""
    server = Redis(tmp_path, certificate=authority.certify("localhost"))
    server.start()
    yield server
    server.stop()


def test_a_redis_with_tls_that_is_frozen_and_comes_back(secure: Redis):
    counters = RedisCounters(f"rediss://localhost:{secure.tls_port}", 2.0)
    with secure.frozen():
        seconds, reasons = asked(counters)
    assert all(reasons)
    assert seconds < GENEROUS
    until_it_answers(counters)
    counters.close()


@pytest.mark.parametrize(("options", "expected"), [("", "certificate verify failed"), ("?ssl_cert_reqs=none", "")])
def test_a_certificate_is_checked_unless_the_url_says_otherwise(secure: Redis, options, expected):
    counters = RedisCounters(f"rediss://{LOOPBACK}:{secure.tls_port}/0{options}", 2.0)
    said = reason(counters)
    counters.close()
    assert (expected in said, bool(said)) == (True, bool(expected))


def test_the_machines_authorities_are_read_once(patched: Patched, secure: Redis, authority: Authority):
    seen = patched.run("a_crowd_with_tls", f"rediss://localhost:{secure.tls_port}", str(authority.file), 50)
    assert seen == {"unavailable": 0, "read": 1, "connections": MAX_CONNECTIONS}


def test_calls_at_the_same_moment_wait_together(own_redis: Redis, counters: RedisCounters):
    counters.take((HIT,))
    with own_redis.frozen():
        started = time.monotonic()
        threads = [threading.Thread(target=reason, args=(counters,)) for _ in range(3 * MAX_CONNECTIONS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = time.monotonic() - started
    assert seconds < GENEROUS


def test_a_killed_redis_and_its_return(own_redis: Redis, counters: RedisCounters):
    counters.take((HIT,))
    own_redis.kill()
    seconds, reasons = asked(counters)
    assert all(reasons)
    assert seconds < GENEROUS
    own_redis.start()
    until_it_answers(counters)
    assert counters.take((HIT,)).refused == ()


def test_a_redis_that_restarted_between_two_calls_is_not_a_failure(own_redis: Redis, counters: RedisCounters):
    counters.take((HIT,))
    own_redis.kill()
    own_redis.start()
    assert reason(counters) == ""


def test_a_script_that_was_forgotten_is_sent_again(own_redis: Redis, counters: RedisCounters):
    counters.take((HIT,))
    own_redis.ask("SCRIPT", "FLUSH")
    assert counters.take((HIT,)).windows[0].current == 2


def test_a_slow_redis(own_redis: Redis):
    with slow(own_redis.port, 0.6) as road:
        counters = RedisCounters(f"redis://{LOOPBACK}:{road.port}", 2.0)
        seconds, reasons = asked(counters)
        counters.close()
    assert all(reasons)
    assert seconds < GENEROUS


def test_an_answer_that_came_too_late_is_nobody_elses(own_redis: Redis):
    with slow(own_redis.port, 0.4) as road:
        counters = RedisCounters(f"redis://{LOOPBACK}:{road.port}", 2.0, breaker=Breaker(pause=0.0))
        reasons = asked(counters, 3)[1]
        counters.close()
    assert reasons == ["TimeoutError: no answer in time"] * 3


def test_a_port_that_swallows_connections():
    ports = Ports()
    counters = RedisCounters(ports.blackhole().replace("http", "redis"), 2.0)
    seconds, reasons = asked(counters)
    assert all(reasons)
    assert seconds < GENEROUS
    ports.close()


def full(server: Redis) -> None:
    server.ask("CONFIG", "SET", "maxmemory", "1")


def follower(server: Redis) -> None:
    server.ask("REPLICAOF", LOOPBACK, "1")


def locked(server: Redis) -> None:
    server.ask("CONFIG", "SET", "requirepass", "a-secret-of-redis")


@pytest.mark.parametrize(
    ("trouble", "word"), [(full, "OutOfMemory"), (follower, "read only"), (locked, "Authentication")]
)
def test_a_redis_that_refuses(own_redis: Redis, counters: RedisCounters, trouble: Callable[[Redis], None], word: str):
    trouble(own_redis)
    seconds, reasons = asked(counters)
    assert word in reasons[0]
    assert all("not asked" in text for text in reasons[1:])
    assert seconds < GENEROUS


@pytest.mark.parametrize(
    "line",
    [
        "-LOADING Redis is loading the dataset in memory",
        "-BUSY Redis is busy running a script.",
        "-MISCONF Redis is configured to save RDB snapshots",
        "-CLUSTERDOWN The cluster is down",
        "-MOVED 3999 127.0.0.1:6381",
        "HTTP/1.1 400 Bad Request",
        "",
    ],
)
def test_other_answers(line: str):
    with saying(line) as server:
        counters = RedisCounters(f"redis://{LOOPBACK}:{server.port}", 2.0)
        seconds, reasons = asked(counters, 5)
        counters.close()
    assert all(reasons)
    assert seconds < GENEROUS


def test_a_password_is_used_and_not_shown(own_redis: Redis):
    locked(own_redis)
    for password, works in (("a-secret-of-redis", True), ("another-secret", False)):
        counters = RedisCounters(f"redis://:{password}@{LOOPBACK}:{own_redis.port}", 2.0)
        said = reason(counters)
        assert (said == "") is works
        assert "secret" not in said
        counters.close()


@pytest.mark.parametrize("host", ["nobody.invalid", "a" * 300])
def test_a_host_that_is_none(host: str):
    assert reason(RedisCounters(f"redis://{host}:6379", 2.0))


# ---- addresses ----


def test_a_unix_socket(tmp_path: Path):
    path = tmp_path / "redis.sock"
    server = Redis(tmp_path, ("--unixsocket", str(path)))
    server.start()
    counters = RedisCounters(f"unix://{path}", 2.0)
    assert reason(counters) == ""
    counters.close()
    server.stop()


def test_valkeys_scheme(own_redis: Redis):
    counters = RedisCounters(own_redis.url.replace("redis", "valkey", 1), 2.0)
    assert reason(counters) == ""
    counters.close()


def test_an_address_of_another_kind():
    with pytest.raises(ValueError, match="scheme"):
        RedisCounters("http://localhost", 2.0)


def test_a_timeout_may_be_shorter():
    with socket.create_server((LOOPBACK, 0)) as mute:
        counters = RedisCounters(f"redis://{LOOPBACK}:{mute.getsockname()[1]}", 0.05)
        assert asked(counters, 1)[0] < LONGEST_TIMEOUT
        counters.close()


# ---- as a worker sees it ----


@pytest.fixture(scope="module")
def patched() -> Iterator[Patched]:
    """A process that gevent has patched."""
    with Patched("tests.lib.stores.redis_scenarios") as child:
        yield child


def test_a_worker_goes_on_while_redis_is_frozen(own_redis: Redis, patched: Patched):
    with own_redis.frozen():
        seen = patched.run("many_calls", own_redis.url, 200)
    assert seen["unavailable"] == 200
    assert seen["seconds"] < GENEROUS
    assert seen["longest_standstill"] < 0.2


def test_a_busy_worker_does_not_blame_redis(own_redis: Redis, patched: Patched):
    seen = patched.run("calls_of_a_busy_worker", own_redis.url, 40)
    assert seen == {"unavailable": 0, "open": False}


def test_a_silent_name_service_costs_one_call_the_timeout(patched: Patched):
    seen = patched.run("a_host_that_is_looked_up_for_long")
    assert seen == ["TimeoutError: Timeout connecting to server", "not asked: it failed a moment ago", "soon"]


def test_a_caller_who_leaves_takes_no_answer_of_another(own_redis: Redis, patched: Patched):
    with slow(own_redis.port, 0.1) as road:
        assert patched.run("leaving", f"redis://{LOOPBACK}:{road.port}") == [1, 2, 3]


def test_importing_the_stores_does_not_load_redis(patched: Patched):
    assert patched.run("loaded_by_the_front_door") == []


def test_the_client_is_the_only_other_reader(redis_server: Redis):
    """What is kept in Redis: two keys for each limit, which expire."""
    shared = RedisShared(redis_server)
    shared.counters.take((HIT,))
    keys = shared.client.keys()
    assert keys == [b"aiproxy:{requests/ada}"]
    assert 0 < redis.Redis.from_url(shared.url).ttl(keys[0]) <= 120
    shared.close()
