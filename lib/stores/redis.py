"""Counters for rate limits in Redis or Valkey, shared by all machines. The only module that knows redis-py.

It is a storage of `limits`, and what is asked for each call goes past it, in one step and one round trip. A Redis
that hangs, dies or refuses costs one call the timeout; the breaker keeps the others away. redis-py waits on sockets
that gevent patched, so it is imported when the counters are made: by then a worker is patched.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from time import monotonic
from typing import TYPE_CHECKING, Any

import gevent
from gevent.monkey import is_module_patched
from limits.storage import RedisStorage

from lib.stores.breaker import Breaker
from lib.stores.database import unavailable
from lib.stores.redis_scripts import CORRECT, TAKE
from lib.stores.windows import Answer, Hit, Window

if TYPE_CHECKING:
    from redis.commands.core import Script

LONGEST_TIMEOUT = 0.25  # seconds: a rate is not worth waiting longer
MAX_CONNECTIONS = 16  # of one worker; an answer takes less than a millisecond
LATE_SECONDS = 0.05
PREFIX = "aiproxy"


class RedisCounters(RedisStorage):
    """Counters at a `redis://`, `rediss://`, `unix://` or `valkey://` URL. Connects when first asked.

    `timeout` is in seconds: for connecting and for an answer it counts up to `LONGEST_TIMEOUT`, for a turn in full.
    Raises `ValueError` for a URL that cannot be read.
    """

    def __init__(
        self,
        url: str,
        timeout: float,
        clock: Callable[[], float] = monotonic,
        breaker: Breaker | None = None,
    ) -> None:
        from redis import RedisError  # noqa: PLC0415  see above
        from redis import TimeoutError as RedisTimeout  # noqa: PLC0415

        self._failures = (RedisError, OSError, UnicodeError)  # the last one is for names that are no host's
        self._timeouts = (RedisTimeout, TimeoutError)
        self._patched = is_module_patched("socket")
        self._timeout = min(timeout, LONGEST_TIMEOUT)
        self._patience = timeout
        self._clock = clock
        self._breaker = breaker or Breaker()
        self._turns = threading.BoundedSemaphore(MAX_CONNECTIONS)
        self._pool = _pool(url, self._timeout)
        super().__init__("redis://", connection_pool=self._pool, key_prefix=PREFIX)
        self._take = self.get_connection().register_script(TAKE.encode())
        self._correct = self.get_connection().register_script(CORRECT.encode())

    def close(self) -> None:
        """Let go of every connection."""
        self._pool.disconnect()

    def take(self, hits: Sequence[Hit]) -> Answer:
        """See `Counters`."""
        keys = [key for hit in hits for key in self._keys(hit)]
        found = self._asked(self._take, keys, [word for hit in hits for word in hit[1:]])
        now = self._clock()
        parts = [found[place : place + 5] for place in range(0, len(found), 5)]
        refused = tuple(place for place, part in enumerate(parts) if not part[0])
        return Answer(refused, tuple(_window(part, now) for part in parts))

    def correct(self, hit: Hit, mark: float, change: int) -> None:
        """See `Counters`. Windows begin with a first hit here, so the mark is when the window's count expires."""
        expected = int((mark - self._clock()) * 1000)
        self._asked(self._correct, self._keys(hit), [change, expected, hit.seconds])

    def _keys(self, hit: Hit) -> list[str]:
        """The previous window's key and the current one's."""
        windows = (self._previous_window_key(hit.key), self._current_window_key(hit.key))
        return [self.prefixed_key(window) for window in windows]

    def _asked(self, script: Script, keys: list[str], words: list[Any]) -> list[int]:
        """What a script answers. Raises `StoreUnavailable`."""
        if not self._turns.acquire(timeout=self._patience):
            raise unavailable("all connections are in use")
        try:
            with self._breaker.asked():
                return self._answered(script, keys, words)
        except _Late as late:
            raise unavailable(late) from late
        finally:
            self._turns.release()

    def _answered(self, script: Script, keys: list[str], words: list[Any]) -> list[int]:
        from redis.exceptions import NoScriptError  # noqa: PLC0415  see above

        try:
            with self._connected() as connection:
                try:
                    return self._reply(connection, "EVALSHA", script.sha, len(keys), *keys, *words)
                except NoScriptError:  # Redis was started since
                    return self._reply(connection, "EVAL", script.script, len(keys), *keys, *words)
        except self._failures as error:
            self._pool.disconnect(inuse_connections=False)  # after a failover the name may lead elsewhere
            raise unavailable(error) from error

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        """A connection for one question."""
        connection = self._connection()
        try:
            yield connection
        finally:
            self._pool.release(connection)

    def _connection(self) -> Any:
        """A kept or a new connection. A time-out that came late says more about this worker than about Redis."""
        begun = monotonic()
        while True:
            started = monotonic()
            try:
                with self._limit():
                    return self._pool.get_connection()
            except self._timeouts as error:
                now = monotonic()
                if not self._patched or now - started < self._timeout + LATE_SECONDS:
                    raise
                if now - begun > self._patience:
                    raise _Late(str(error)) from error

    def _limit(self) -> AbstractContextManager[object]:
        """Redis-py limits each step by itself, and not at all that of finding the host."""
        if self._patched:
            return gevent.Timeout(self._timeout, TimeoutError("no connection in time"))
        return nullcontext()

    def _reply(self, connection: Any, *command: Any) -> list[int]:
        try:
            connection.send_command(*command)
            self._wait(connection)
        except BaseException:
            connection.disconnect()  # what comes later is not for the next question
            raise
        answer: list[int] = connection.read_response()
        return answer

    def _wait(self, connection: Any) -> None:
        """Wait for an answer. The second look is for a worker that was too busy to see it come."""
        if not connection.can_read(self._timeout) and not connection.can_read(0):
            raise TimeoutError("no answer in time")


class _Late(Exception):
    """No connection for a long time, and perhaps through no fault of Redis."""


def _pool(url: str, timeout: float) -> Any:
    """Redis-py's own, untyped in parts. It never makes a call wait: there are as many connections as turns."""
    from redis import BlockingConnectionPool  # noqa: PLC0415  see above
    from redis.backoff import NoBackoff  # noqa: PLC0415
    from redis.retry import Retry  # noqa: PLC0415

    url = url.replace("valkey", "redis", 1) if url.startswith("valkey") else url
    shared = {"connection_class": _secure()} if url.startswith("rediss:") and "ssl_" not in url else {}
    return BlockingConnectionPool.from_url(
        url,
        max_connections=MAX_CONNECTIONS,
        timeout=timeout,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=Retry(NoBackoff(), 0),
        driver_info=None,  # what it would say about itself takes two round trips
        **shared,
    )


def _secure() -> Any:
    """Redis-py's connection with TLS. It reads all authorities anew for each one, which takes 40 ms of a worker; these
    share what was read once: certificate and host name are checked against the system's."""
    import ssl  # noqa: PLC0415  see above

    from redis import SSLConnection  # noqa: PLC0415

    context = ssl.create_default_context()

    class Secure(SSLConnection):
        def _wrap_socket_with_ssl(self, sock: Any) -> Any:
            return context.wrap_socket(sock, server_hostname=self.host)

    return Secure


def _window(part: Sequence[int], now: float) -> Window:
    _fits, previous, previous_ttl, current, current_ttl = part
    return Window(previous, previous_ttl / 1000, current, current_ttl / 1000, now + current_ttl / 1000)
