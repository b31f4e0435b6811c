"""Real stores for tests, started on free loopback ports: Redis and PostgreSQL, as Debian packages them; and AWS as moto
imitates it."""

from tests.servers.moto import Moto, aws
from tests.servers.postgresql import Postgres
from tests.servers.program import Program, missing
from tests.servers.redis import Redis
from tests.servers.refusing import Refusing, refusal

__all__ = ["Moto", "Postgres", "Program", "Redis", "Refusing", "aws", "missing", "refusal"]
