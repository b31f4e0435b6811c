"""Managed keys: made, rotated and revoked by an operator, and found again when a caller shows one."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.access.addresses import AddressList
from lib.access.caller import Caller
from lib.access.key_cache import KeyCache
from lib.access.key_form import hash_of, hashing_key, looks_like_key, make_key, make_secret
from lib.access.key_spec import KeySpec, is_name, read_key
from lib.base import parse_length, show_moment
from lib.base.errors import BadRequest, NotFound
from lib.stores import KeyRow, KeyStore

DEFAULT_OVERLAP = "24h"
LONGEST_OVERLAP = 30 * 86_400_000  # milliseconds
SECRET = "managed keys"  # its name in the store
NO_SUCH_KEY = "There is no key of this name."


@dataclass(frozen=True, slots=True)
class ManagedKey:
    """A key as an operator sees it: all but the key itself and its hashes."""

    id: str
    name: str
    state: str
    spec: KeySpec
    created_at: int
    expires_at: int | None
    previous_until: int | None
    revoked_at: int | None

    @property
    def owner(self) -> str:
        """Under which its budgets are kept."""
        return _owner(self.id)

    def shown(self) -> dict[str, Any]:
        """The fields as people read them; times are RFC 3339."""
        return {
            "name": self.name,
            "id": self.id,
            "state": self.state,
            **self.spec.shown(),
            "created": show_moment(self.created_at),
            "expires": show_moment(self.expires_at),
            "previous_until": show_moment(self.previous_until),
            "revoked": show_moment(self.revoked_at),
        }


@dataclass(frozen=True, slots=True)
class Issued:
    """A key that was just made. `key` is shown this once and can never be read again."""

    key: str = field(repr=False)
    about: ManagedKey

    def shown(self) -> dict[str, Any]:
        """The key, and the fields of `ManagedKey`."""
        about = self.about.shown()
        return {"name": about.pop("name"), "key": self.key, **about}


@dataclass(frozen=True, slots=True)
class _Granted:
    """What showing a key allows, until when (milliseconds since 1970) and from where."""

    caller: Caller
    until: int | None
    addresses: AddressList


class ManagedKeys:
    """The managed keys of one store. Every method but `find` asks it each time and raises `StoreUnavailable`."""

    def __init__(
        self,
        store: KeyStore,
        secret: str | None = None,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`secret` keys the hashes; the store's own when None. `now` is seconds since 1970, `clock` ages what is
        remembered. Opens nothing."""
        self._store = store
        self._hashing = hashing_key(secret) if secret else None
        self._now = now
        self._cache: KeyCache[_Granted] = KeyCache(self._look, clock)

    def find(self, key: str, address: Callable[[], str | None]) -> Caller | None:
        """The caller who may use this key from this address now; None when there is none.

        Raises `StoreUnavailable` when the store is down and the key was not seen shortly before.
        """
        if not looks_like_key(key):
            return None
        granted = self._cache.get(self._hash(key))
        if granted is None or (granted.until is not None and granted.until <= self._milliseconds()):
            return None
        if granted.addresses and not granted.addresses.admits(address()):
            return None
        return granted.caller

    def create(self, fields: Mapping[str, object]) -> Issued:
        """Make a key from the fields of `read_key`. Raises `BadRequest` with the field's name."""
        now = self._milliseconds()
        asked = read_key(fields, now)
        key = make_key()
        row = KeyRow(secrets.token_hex(8), asked.name, self._hash(key), asked.spec.encode(), now, asked.expires_at)
        if not self._store.insert(row):
            raise BadRequest("`name` is the name of another key; revoke or rotate that one.", param="name")
        return Issued(key, _managed(row, now))

    def list_all(self) -> list[ManagedKey]:
        """Every key, expired and revoked ones too, by name."""
        now = self._milliseconds()
        return [_managed(row, now) for row in self._store.list_all()]

    def show(self, name: str) -> ManagedKey:
        """One key; of several of one name the one that is not revoked, or was last. Raises `NotFound`."""
        return _managed(_found(self._store.by_name(name) if is_name(name) else None), self._milliseconds())

    def rotate(self, name: str, overlap: object = DEFAULT_OVERLAP) -> Issued:
        """A new key in the place of an old one, which stays good for `overlap`. An earlier overlap ends.

        Raises `NotFound`, and `BadRequest` for a key that has ended.
        """
        length, now = _overlap(overlap), self._milliseconds()
        before = self.show(name)
        if before.state != "active":
            raise BadRequest(f"`name` must be that of an active key: this one is {before.state}.", param="name")
        key = make_key()
        row = self._store.rotate(name, self._hash(key), now + length if length else None)
        return Issued(key, _managed(_found(row), now))

    def revoke(self, name: str) -> ManagedKey:
        """End a key at once, and the one before it. The second time changes nothing. Raises `NotFound`."""
        now = self._milliseconds()
        return _managed(_found(self._store.revoke(name, now) if is_name(name) else None), now)

    def _look(self, digest: str) -> _Granted | None:
        row = self._store.by_hash(digest, self._milliseconds())
        return _granted(row, digest) if row is not None else None

    def _hash(self, key: str) -> str:
        if self._hashing is None:
            self._hashing = hashing_key(self._store.secret(SECRET, make_secret))
        return hash_of(key, self._hashing)

    def _milliseconds(self) -> int:
        return int(self._now() * 1000)


def _granted(row: KeyRow, digest: str) -> _Granted:
    spec = KeySpec.decode(row.spec)
    ends = (row.expires_at, row.previous_until if digest != row.hash else None)
    caller = Caller(
        name=row.name,
        scopes=frozenset(spec.scopes),
        models=spec.models,
        budgets=spec.budgets,
        owner=_owner(row.id),
        rpm=spec.rpm,
        tpm=spec.tpm,
        tags=spec.tags,
        key=row.id,
    )
    return _Granted(
        caller, min((end for end in ends if end is not None), default=None), AddressList.parse(spec.allow_ips)
    )


def _owner(key_id: str) -> str:
    return f"key:{key_id}"


def _managed(row: KeyRow, now: int) -> ManagedKey:
    overlap = row.previous_until if row.previous_until is not None and row.previous_until > now else None
    return ManagedKey(
        id=row.id,
        name=row.name,
        state=_state(row, now),
        spec=KeySpec.decode(row.spec),
        created_at=row.created_at,
        expires_at=row.expires_at,
        previous_until=overlap,
        revoked_at=row.revoked_at,
    )


def _state(row: KeyRow, now: int) -> str:
    if row.revoked_at is not None:
        return "revoked"
    return "expired" if row.expires_at is not None and row.expires_at <= now else "active"


def _found(row: KeyRow | None) -> KeyRow:
    if row is None:
        raise NotFound(NO_SUCH_KEY)
    return row


def _overlap(value: object) -> int:
    try:
        length = parse_length(value if isinstance(value, str) else "")
    except ValueError as error:
        raise BadRequest(f"`overlap` {error}.", param="overlap") from None
    if length > LONGEST_OVERLAP:
        raise BadRequest("`overlap` must be at most 30 days.", param="overlap")
    return length
