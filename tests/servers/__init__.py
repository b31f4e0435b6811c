"""Real stores for tests, started on free loopback ports: Redis and PostgreSQL, as Debian packages them."""

from tests.servers.postgresql import Postgres
from tests.servers.program import Program, missing
from tests.servers.redis import Redis

__all__ = ["Postgres", "Program", "Redis", "missing"]
