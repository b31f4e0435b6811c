"""Real servers for tests, started on free loopback ports: Redis, PostgreSQL and nginx, as Debian packages them; and AWS
as moto imitates it."""

from tests.servers.certificates import Authority, Certificate
from tests.servers.https import Https
from tests.servers.moto import Moto, aws
from tests.servers.nginx import Nginx
from tests.servers.postgresql import Postgres
from tests.servers.program import Program, missing
from tests.servers.redis import Redis
from tests.servers.refusing import Refusing, refusal

__all__ = [
    "Authority",
    "Certificate",
    "Https",
    "Moto",
    "Nginx",
    "Postgres",
    "Program",
    "Redis",
    "Refusing",
    "aws",
    "missing",
    "refusal",
]
