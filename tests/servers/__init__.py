"""Real servers for tests, started on free loopback ports: Redis, PostgreSQL and nginx, as Debian packages them."""

from tests.servers.nginx import Nginx
from tests.servers.postgresql import Postgres
from tests.servers.program import Program, missing
from tests.servers.redis import Redis

__all__ = ["Nginx", "Postgres", "Program", "Redis", "missing"]
