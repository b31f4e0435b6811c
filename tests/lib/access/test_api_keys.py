"""Managed keys from their making to their end, on every kind of database."""

from __future__ import annotations

import re

import pytest

from lib.access import ManagedKeys
from lib.access.key_form import hash_of, hashing_key, looks_like_key, make_key
from lib.base import Budget
from lib.base.errors import BadRequest, NotFound, StoreUnavailable
from lib.stores import KeyStore, Sql
from src.server import KEY_PREFIX

HOUR = 3600.0


class Clock:
    """Seconds since 1970, and seconds of a clock that never goes back: both in one."""

    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class DownDatabase:
    """A null object in the place of a database that cannot be reached."""

    kind = "postgresql"
    asked = 0

    def run(self, work):
        self.asked += 1
        raise StoreUnavailable(detail="down")


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def keys(database, clock):
    return ManagedKeys(KeyStore(database), now=clock, clock=clock)


def found(keys, key, address="203.0.113.7"):
    return keys.find(key, lambda: address)


# ---- forms ----


def test_the_form_of_a_key():
    made = {make_key() for _ in range(100)}
    assert len(made) == 100
    assert all(re.fullmatch(r"aip-[A-Za-z0-9_-]{43}", key) and looks_like_key(key) for key in made)


LONG = "a" * 43


@pytest.mark.parametrize(
    "text",
    ["", "aip-", f"sk-{LONG}", f"aip-{LONG[1:]}", f"aip-{LONG}a", f"AIP-{LONG}", f"aip-{LONG[1:]}é", f"aip-{LONG[1:]}.",
     f"aip-{LONG}\n", f" aip-{LONG}", f"aip-{LONG[1:]}\u0663"],
)  # fmt: skip
def test_what_is_no_key_is_never_looked_up(text):
    database = DownDatabase()
    assert not looks_like_key(text)
    assert found(ManagedKeys(KeyStore(database)), text) is None
    assert database.asked == 0


def test_the_key_for_a_run_has_another_form():
    assert not looks_like_key(KEY_PREFIX + "a" * 32)


def test_the_hash_depends_on_the_secret():
    key = make_key()
    assert hash_of(key, hashing_key("one")) != hash_of(key, hashing_key("two"))
    assert re.fullmatch(r"[0-9a-f]{64}", hash_of(key, hashing_key("a secret of any length " * 100)))


# ---- a life ----


def test_a_key_is_found_by_itself_alone(keys):
    issued = keys.create({"name": "shop", "budgets": ["50/month"], "rpm": 60, "models": ["gpt-*"], "tags": {"a": "b"}})
    caller = found(keys, issued.key)
    assert (caller.name, caller.key, caller.owner) == ("shop", issued.about.id, f"key:{issued.about.id}")
    assert (caller.budgets, caller.rpm, caller.tpm) == ((Budget(50 * 10**9, "month"),), 60, None)
    assert (caller.models, caller.tags) == (("gpt-*",), {"a": "b"})
    assert "admin" not in caller.scopes
    assert found(keys, make_key()) is None
    assert found(keys, issued.key.swapcase()) is None


def test_only_a_keyed_hash_is_kept(keys, database):
    issued = keys.create({"name": "shop"})
    kept = str(database.run(lambda session: session.rows(Sql("SELECT * FROM keys"))))
    assert issued.key not in kept
    assert issued.key[4:] not in kept
    other = ManagedKeys(KeyStore(database), "another secret of the operator")
    assert found(other, issued.key) is None


def test_all_workers_share_the_secret_that_is_made(keys, database):
    issued = keys.create({"name": "shop"})
    assert found(ManagedKeys(KeyStore(database)), issued.key).name == "shop"


def test_nothing_shows_the_key(keys):
    issued = keys.create({"name": "shop"})
    assert issued.key not in repr(issued) + repr(issued.about) + repr(found(keys, issued.key)) + repr(keys)
    assert issued.shown()["key"] == issued.key
    assert list(issued.shown())[:2] == ["name", "key"]
    assert issued.key not in str(keys.show("shop").shown()) + str([key.shown() for key in keys.list_all()])


def test_a_name_is_taken_once(keys):
    keys.create({"name": "shop"})
    with pytest.raises(BadRequest) as caught:
        keys.create({"name": "shop"})
    assert caught.value.param == "name"
    assert len(keys.list_all()) == 1


def test_what_is_refused_is_not_kept(keys):
    with pytest.raises(BadRequest):
        keys.create({"name": "shop", "budgets": ["NaN/month"]})
    assert keys.list_all() == []


def test_a_key_expires_at_its_moment_even_when_it_is_remembered(keys, clock):
    key = keys.create({"name": "shop", "expires": "2027-01-15T08:00:01Z"}).key
    assert found(keys, key)
    clock.now += 1
    assert found(keys, key) is None
    assert keys.show("shop").state == "expired"
    with pytest.raises(BadRequest, match="expired"):
        keys.rotate("shop")


def test_a_key_is_good_from_its_addresses_alone(keys):
    key = keys.create({"name": "shop", "allow_ips": ["203.0.113.0/24", "2001:db8::/32"]}).key
    assert found(keys, key, "203.0.113.9")
    assert found(keys, key, "2001:db8::9")
    assert found(keys, key, "198.51.100.1") is None
    assert found(keys, key, None) is None


def test_a_rotation_overlaps(keys, clock):
    old = keys.create({"name": "shop"}).key
    assert found(keys, old)
    new = keys.rotate("shop", "1h")
    assert new.about.previous_until == int((clock.now + HOUR) * 1000)
    clock.now += HOUR - 1
    assert found(keys, old).key == found(keys, new.key).key
    clock.now += 1
    assert found(keys, old) is None
    assert found(keys, new.key)
    assert keys.show("shop").previous_until is None


def test_the_usual_overlap_is_a_day(keys, clock):
    keys.create({"name": "shop"})
    assert keys.rotate("shop").about.shown()["previous_until"] == "2027-01-16T08:00:00Z"


def test_a_rotation_without_overlap(keys, clock):
    old = keys.create({"name": "shop"}).key
    found(keys, old)
    new = keys.rotate("shop", "0").key
    clock.now += 5
    assert found(keys, old) is None
    assert found(keys, new)


@pytest.mark.parametrize("overlap", ["31d", "721h", "-1h", "soon", "", None, 24, "1" * 40 + "h", "'; DROP TABLE keys"])
def test_a_bad_overlap(keys, overlap):
    key = keys.create({"name": "shop"}).key
    with pytest.raises(BadRequest) as caught:
        keys.rotate("shop", overlap)
    assert caught.value.param == "overlap"
    assert found(keys, key)


def test_a_revoke_ends_the_key_and_the_one_before_it(keys, clock):
    old = keys.create({"name": "shop"}).key
    new = keys.rotate("shop").key
    assert found(keys, old)
    assert found(keys, new)
    assert keys.revoke("shop").state == "revoked"
    clock.now += 5
    assert found(keys, old) is None
    assert found(keys, new) is None
    assert keys.revoke("shop").state == "revoked"
    with pytest.raises(BadRequest, match="revoked"):
        keys.rotate("shop")


def test_a_new_key_of_a_revoked_name_has_books_of_its_own(keys):
    first = keys.create({"name": "shop"}).about
    keys.revoke("shop")
    second = keys.create({"name": "shop"})
    assert second.about.id != first.id
    assert found(keys, second.key).key == second.about.id
    assert keys.show("shop").state == "active"


@pytest.mark.parametrize(
    "name", ["", "other", "shop ", "SHOP", "'; DROP TABLE keys; --", "../shop", "a" * 5000, "\x00", "\ud800"]
)
def test_there_is_no_such_key(keys, name):
    keys.create({"name": "shop"})
    for act in (keys.show, keys.rotate, keys.revoke):
        with pytest.raises(NotFound) as caught:
            act(name)
        assert caught.value.message == "There is no key of this name."
    assert keys.show("shop").state == "active"


# ---- a store that is down ----


def test_a_store_that_is_down_is_no_wrong_key(clock):
    database = DownDatabase()
    for keys in (
        ManagedKeys(KeyStore(database), None, clock, clock),
        ManagedKeys(KeyStore(database), "s", clock, clock),
    ):
        with pytest.raises(StoreUnavailable):
            found(keys, make_key())
        with pytest.raises(StoreUnavailable):
            keys.list_all()


def test_a_key_that_was_seen_goes_on_for_a_minute(keys, clock):
    key = keys.create({"name": "shop"}).key
    found(keys, key)
    keys._store._database = DownDatabase()
    clock.now += 59
    assert found(keys, key).name == "shop"
    clock.now += 1
    with pytest.raises(StoreUnavailable):
        found(keys, key)
