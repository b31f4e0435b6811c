"""The rows of managed keys, on every kind of database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from lib.stores import Database, KeyRow, KeyStore, Sql, open_database

NOW = 1_800_000_000_000
DAY = 86_400_000


def row(name: str = "shop", **changes: object) -> KeyRow:
    """A key of this name; its id and hash follow from the name."""
    values = {"id": f"id-{name}", "name": name, "hash": f"hash-{name}", "spec": "{}", "created_at": NOW}
    return KeyRow(**{**values, **changes})  # type: ignore[arg-type]


@pytest.fixture
def store(database: Database) -> KeyStore:
    return KeyStore(database)


def test_what_was_inserted_is_found(store):
    kept = row(expires_at=NOW + DAY)
    assert store.insert(kept)
    assert store.by_hash("hash-shop", NOW) == store.by_name("shop") == kept
    assert store.list_all() == [kept]


def test_nothing_else_is_found(store):
    store.insert(row())
    assert store.by_hash("hash-sho", NOW) is None
    assert store.by_hash("HASH-SHOP", NOW) is None
    assert store.by_hash("", NOW) is None
    assert store.by_name("sho_") is None
    assert store.by_name("%") is None


def test_a_name_is_given_once(store):
    assert store.insert(row())
    assert not store.insert(row(id="other", hash="other"))
    assert store.by_hash("other", NOW) is None


def test_a_name_is_free_again_after_a_revoke(store):
    store.insert(row())
    store.revoke("shop", NOW + 1)
    assert store.insert(row(id="second", hash="second", created_at=NOW + 2))
    assert store.by_name("shop").id == "second"
    store.revoke("shop", NOW + 3)
    assert store.by_name("shop").id == "second"
    assert [kept.revoked_at for kept in store.list_all()] == [NOW + 1, NOW + 3]


def test_a_rotation_keeps_the_old_hash_until_the_overlap_ends(store):
    store.insert(row())
    rotated = store.rotate("shop", "new", NOW + DAY)
    assert (rotated.hash, rotated.previous_hash, rotated.previous_until) == ("new", "hash-shop", NOW + DAY)
    assert store.by_hash("new", NOW) == store.by_hash("hash-shop", NOW + DAY - 1) == rotated
    assert store.by_hash("hash-shop", NOW + DAY) is None
    assert store.by_hash("new", NOW + DAY) == rotated


def test_a_rotation_without_overlap_ends_the_old_hash(store):
    store.insert(row())
    assert store.rotate("shop", "new", None).previous_hash is None
    assert store.by_hash("hash-shop", NOW) is None


def test_a_second_rotation_ends_the_first_ones_overlap(store):
    store.insert(row())
    store.rotate("shop", "second", NOW + DAY)
    store.rotate("shop", "third", NOW + DAY)
    assert store.by_hash("hash-shop", NOW) is None
    assert store.by_hash("second", NOW) == store.by_hash("third", NOW)


def test_a_rotation_that_is_carried_out_twice_keeps_the_old_hash(store):
    """As when the connection is lost while its commit is under way."""
    store.insert(row())
    store.rotate("shop", "new", NOW + DAY)
    store.rotate("shop", "new", NOW + DAY)
    assert store.by_hash("hash-shop", NOW) is not None


def test_a_revoke_ends_both_hashes(store):
    store.insert(row())
    store.rotate("shop", "new", NOW + DAY)
    assert store.revoke("shop", NOW).revoked_at == NOW
    assert store.by_hash("new", NOW) is None
    assert store.by_hash("hash-shop", NOW) is None


def test_what_is_revoked_stays_so(store):
    store.insert(row())
    store.revoke("shop", NOW)
    assert store.revoke("shop", NOW + 1).revoked_at == NOW
    assert store.rotate("shop", "new", NOW + DAY) is None
    assert store.by_hash("new", NOW) is None


def test_what_was_never_there_is_none(store):
    assert store.rotate("shop", "new", None) is None
    assert store.revoke("shop", NOW) is None


@pytest.mark.parametrize("text", ["'; DROP TABLE keys; --", '"', "\\", "$(id)", "`id`", ":name", "%(name)s", "ключ"])
def test_odd_texts_are_only_texts(store, text):
    store.insert(row(text))
    assert store.by_name(text).name == text
    assert store.by_hash(f"hash-{text}", NOW).name == text
    assert len(store.list_all()) == 1


def test_keys_are_listed_by_name(store):
    for name in ("b", "a", "c"):
        store.insert(row(name))
    assert [kept.name for kept in store.list_all()] == ["a", "b", "c"]


def test_a_key_is_looked_up_by_an_index(database, store):
    store.insert(row())
    explain = {"sqlite": "EXPLAIN QUERY PLAN ", "postgresql": "EXPLAIN "}[database.kind]
    query = Sql(
        f"{explain}SELECT id FROM keys WHERE revoked_at IS NULL"
        " AND (hash = :hash OR (previous_hash = :hash AND previous_until > :now))"
    )
    plan = database.run(lambda session: _without_scans(session, database.kind, query))
    assert "SCAN keys" not in plan
    assert "Seq Scan" not in plan


def _without_scans(session, kind, query):
    """The plan; PostgreSQL would read a table of one row from end to end."""
    if kind == "postgresql":
        session.change(Sql("SET LOCAL enable_seqscan = off"))
    return "\n".join(str(line) for line in session.rows(query, {"hash": "x", "now": NOW}))


def test_a_row_shows_no_hash(store):
    store.insert(row())
    assert "hash-shop" not in repr(store.rotate("shop", "new-hash", NOW))
    assert "new-hash" not in repr(store.by_name("shop"))


# ---- secrets ----


def test_a_secret_is_made_once(store):
    assert store.secret("a", lambda: "first") == "first"
    assert store.secret("a", lambda: "second") == "first"
    assert store.secret("b", lambda: "third") == "third"


def test_all_who_ask_at_once_get_the_same_secret(url):
    def ask(number: int) -> str:
        database = open_database(url, 10.0)
        try:
            return KeyStore(database).secret("shared", lambda: f"made by {number}")
        finally:
            database.close()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(16)))) == 1


def test_of_all_who_take_a_name_at_once_one_gets_it(url):
    def take(number: int) -> bool:
        database = open_database(url, 10.0)
        try:
            return KeyStore(database).insert(row(id=str(number), hash=str(number)))
        finally:
            database.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(take, range(16))) == 1
