"""Managed keys as rows, and the secrets that the service makes for itself once.

A key itself is nowhere here, only its keyed hash. Times are in milliseconds since 1970. Every method raises
`StoreUnavailable` when the store is down or slow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from lib.stores.database import Database, Session, Sql


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One key. `spec` is what it may do, as JSON. Its hashes are not shown when it is written down."""

    id: str
    name: str
    hash: str = field(repr=False)
    spec: str
    created_at: int
    expires_at: int | None = None
    previous_hash: str | None = field(default=None, repr=False)
    previous_until: int | None = None
    revoked_at: int | None = None


_SELECT = "SELECT id, name, hash, spec, created_at, expires_at, previous_hash, previous_until, revoked_at FROM keys"
_INSERT = Sql(
    "INSERT INTO keys (id, name, hash, spec, created_at, expires_at)"
    " VALUES (:id, :name, :hash, :spec, :created_at, :expires_at) ON CONFLICT DO NOTHING"
)
_BY_ID = Sql("SELECT 1 FROM keys WHERE id = :id")
_BY_HASH = Sql(
    _SELECT + " WHERE revoked_at IS NULL AND (hash = :hash OR (previous_hash = :hash AND previous_until > :now))"
)
_BY_NAME = Sql(
    _SELECT + " WHERE name = :name ORDER BY CASE WHEN revoked_at IS NULL THEN 0 ELSE 1 END, revoked_at DESC, id LIMIT 1"
)
_LIST = Sql(_SELECT + " ORDER BY name, created_at, id")
_ROTATE = Sql(
    "UPDATE keys SET previous_hash = hash, previous_until = :until, hash = :hash"
    " WHERE name = :name AND revoked_at IS NULL AND hash <> :hash"
)
_REPLACE = Sql(
    "UPDATE keys SET previous_hash = NULL, previous_until = NULL, hash = :hash"
    " WHERE name = :name AND revoked_at IS NULL AND hash <> :hash"
)
_REVOKE = Sql(
    "UPDATE keys SET revoked_at = :now, previous_hash = NULL, previous_until = NULL"
    " WHERE name = :name AND revoked_at IS NULL"
)
_SECRET = Sql("SELECT value FROM secrets WHERE name = :name")
_KEEP_SECRET = Sql("INSERT INTO secrets (name, value) VALUES (:name, :value) ON CONFLICT DO NOTHING")


class KeyStore:
    """The keys of one database. Names are unique among the keys that are not revoked."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def insert(self, row: KeyRow) -> bool:
        """Keep a new key; whether its name was free."""
        values = {
            "id": row.id,
            "name": row.name,
            "hash": row.hash,
            "spec": row.spec,
            "created_at": row.created_at,
            "expires_at": row.expires_at,
        }

        def work(session: Session) -> bool:
            session.change(_INSERT, values)
            return bool(session.rows(_BY_ID, {"id": row.id}))

        return self._database.run(work)

    def by_hash(self, digest: str, now: int) -> KeyRow | None:
        """The key with this hash, or that had it before a rotation whose overlap lasts; None for a revoked one."""
        return self._one(_BY_HASH, {"hash": digest, "now": now})

    def by_name(self, name: str) -> KeyRow | None:
        """The key of this name; when there is none, the one that was revoked last."""
        return self._one(_BY_NAME, {"name": name})

    def list_all(self) -> list[KeyRow]:
        """Every key, revoked ones too, by name."""
        return self._database.run(lambda session: [KeyRow(*row) for row in session.rows(_LIST)])

    def rotate(self, name: str, digest: str, until: int | None) -> KeyRow | None:
        """Give a key another hash; the one before is good `until` then, or no longer when None.

        None when no key of this name can be used. What was left of an earlier rotation's overlap ends.
        """

        def work(session: Session) -> KeyRow | None:
            if until is None:
                session.change(_REPLACE, {"name": name, "hash": digest})
            else:
                session.change(_ROTATE, {"name": name, "hash": digest, "until": until})
            found = session.rows(_BY_NAME, {"name": name})
            row = KeyRow(*found[0]) if found else None
            return row if row is not None and row.revoked_at is None else None

        return self._database.run(work)

    def revoke(self, name: str, now: int) -> KeyRow | None:
        """End a key and the one before it; None when there was never one of this name."""

        def work(session: Session) -> KeyRow | None:
            session.change(_REVOKE, {"name": name, "now": now})
            found = session.rows(_BY_NAME, {"name": name})
            return KeyRow(*found[0]) if found else None

        return self._database.run(work)

    def secret(self, name: str, make: Callable[[], str]) -> str:
        """The secret of this name; made by whoever asks first, and the same for all from then on."""

        def work(session: Session) -> str:
            found = session.rows(_SECRET, {"name": name})
            if not found:
                session.change(_KEEP_SECRET, {"name": name, "value": make()})
                found = session.rows(_SECRET, {"name": name})
            return str(found[0][0])

        return self._database.run(work)

    def _one(self, sql: Sql, params: dict[str, object]) -> KeyRow | None:
        found = self._database.run(lambda session: session.rows(sql, params))
        return KeyRow(*found[0]) if found else None
