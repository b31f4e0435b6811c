"""One worker's books: what is written late, what is closed for others, what is kept up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from lib.base.errors import StoreUnavailable
from lib.ledger import Books, Facts, Keeper, Outcome
from lib.stores import Accounts, Database, Line, Sql, open_database
from lib.wire import Usage
from tests.databases import new_sqlite
from tests.lib.stores.books import NOW, held, ledger, open_calls

LINE = Line("key:a", "total", 0, 1000)
FACTS = Facts(NOW, "the-id", "a", "k1", None, {"team": "x"}, "openai", "/v1/chat/completions", "gpt-4o", stream=True)
DONE = Outcome("gpt-4o", "openai", 1, 200, None, Usage(5, 6), 40, "exact", 0.1, 0.2, gone=False)


class Away:
    """A database that can be away."""

    def __init__(self, database: Database) -> None:
        self.there = True
        self.loses_answers = False
        self.pause = 0.0
        self.after: Callable[[], None] | None = None
        self.kind = database.kind
        self.inner = database

    def run(self, work):
        if not self.there:
            raise StoreUnavailable(detail="away")
        time.sleep(self.pause)
        result = self.inner.run(work)
        if self.after is not None:
            self.after()
        if self.loses_answers:
            raise StoreUnavailable(detail="no answer in time")
        return result

    def report(self, work):
        return self.run(work)

    def close(self) -> None:
        self.inner.close()


@pytest.fixture
def database():
    opened = open_database(new_sqlite(), 5.0)
    yield Away(opened)
    opened.close()


@pytest.fixture
def books(database) -> Books:
    return Books(Accounts(database), lease=30, retention=100, clock=lambda: NOW)


def test_a_call_from_its_reservation_to_its_row(books, database):
    call = books.open(100, (LINE,), FACTS)
    assert held(database) == {("key:a", "total", 0): (0, 100)}
    books.close(call, DONE)
    assert held(database) == {("key:a", "total", 0): (40, 0)}
    assert ledger(database) == [(call.id, "exact", 40)]


def test_what_cannot_be_written_is_written_later(books, database):
    first, second, third = (books.open(100, (LINE,), FACTS) for _ in range(3))
    database.there = False
    books.close(first, DONE)
    books.release(second)
    with pytest.raises(StoreUnavailable):
        books.keep()
    database.there = True
    books.close(third, DONE)
    assert held(database) == {("key:a", "total", 0): (40, 200)}
    books.keep()
    assert held(database) == {("key:a", "total", 0): (80, 0)}
    assert len(ledger(database)) == 2
    assert open_calls(database) == 0


def test_a_call_that_was_let_through_is_in_the_ledger_in_the_end(books, database):
    database.there = False
    call = books.unwritten(100, (LINE,), FACTS)
    books.close(call, DONE)
    database.there = True
    books.keep()
    assert (held(database), ledger(database)) == ({("key:a", "total", 0): (40, 0)}, [(call.id, "exact", 40)])


def test_a_worker_closes_what_a_dead_one_left(database):
    now = NOW
    dead = Books(Accounts(database), lease=30, clock=lambda: NOW)
    alive = Books(Accounts(database), lease=30, clock=lambda: now)
    call = dead.open(100, (LINE,), FACTS)
    for now in range(NOW, NOW + 30_001, 10_000):  # noqa: B007  the clock reads it
        alive.keep()
    assert open_calls(database) == 1
    now = NOW + 30_001
    alive.keep()
    assert ledger(database) == [(call.id, "lost", 100)]
    assert held(database) == {("key:a", "total", 0): (100, 0)}


def test_a_worker_that_was_cut_off_gives_the_others_time(database):
    """The database was away for longer than a lease: nobody could say that he lives."""
    now = NOW
    one, other = (Books(Accounts(database), lease=30, clock=lambda: now) for _ in range(2))
    for now in range(NOW, NOW + 60_000, 10_000):  # noqa: B007  the clock reads it
        one.keep()
        other.keep()
    one.open(100, (LINE,), FACTS)
    now += 100_000
    other.keep()
    now += 10_000
    one.keep()
    for _ in range(6):
        now += 10_000
        other.keep()
        one.keep()
    assert (open_calls(database), ledger(database)) == (1, [])


def test_a_worker_that_lives_keeps_its_calls(database):
    now = NOW
    one = Books(Accounts(database), lease=30, clock=lambda: now)
    other = Books(Accounts(database), lease=30, clock=lambda: now)
    one.open(100, (LINE,), FACTS)
    for _ in range(10):
        now += 10_000
        one.keep()
        other.keep()
    assert open_calls(database) == 1


def test_a_worker_that_leaves_is_forgotten_but_not_its_open_calls(books, database):
    books.open(100, (LINE,), FACTS)
    books.leave()
    now = NOW
    later = Books(Accounts(database), lease=30, clock=lambda: now)
    for now in range(NOW, NOW + 40_001, 10_000):  # noqa: B007  the clock reads it
        later.keep()
    assert [how for _, how, _ in ledger(database)] == ["lost"]


def test_a_reservation_that_was_made_after_all_is_given_back(books, database):
    """The database did what it was asked to, and answered too late: the call was refused, or has another id."""
    going_on = books.open(100, (LINE,), FACTS)
    database.loses_answers = True
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            books.open(100, (LINE,), FACTS)
    database.loses_answers = False
    assert held(database) == {("key:a", "total", 0): (0, 300)}
    books.keep()
    assert held(database) == {("key:a", "total", 0): (0, 100)}
    books.close(going_on, DONE)
    assert held(database) == {("key:a", "total", 0): (40, 0)}
    assert len(ledger(database)) == 1


@pytest.mark.parametrize("lost", [False, True])
def test_a_call_that_was_never_sent_leaves_no_trace(books, database, lost):
    """Even if its worker was taken for dead meanwhile, or did not hear that it was made."""
    call = books.open(100, (LINE,), FACTS)
    database.loses_answers = True
    with pytest.raises(StoreUnavailable):
        books.open(100, (LINE,), FACTS)
    database.loses_answers = False
    if lost:
        assert Accounts(database).sweep(NOW + 1, NOW).closed == 2
        assert held(database) == {("key:a", "total", 0): (200, 0)}
    books.release(call)
    books.keep()
    assert held(database) == {("key:a", "total", 0): (0, 0)}
    assert (open_calls(database), ledger(database)) == (0, [])


def test_what_was_made_too_late_even_for_that_is_given_back(books, database):
    going_on = books.open(100, (LINE,), FACTS)
    stray = books.unwritten(100, (LINE,), FACTS)
    Accounts(database).open(stray)
    books.keep()
    assert held(database) == {("key:a", "total", 0): (0, 100)}
    books.close(going_on, DONE)


def test_a_worker_that_leaves_gives_back_what_it_does_not_know_of(books, database):
    """A call was killed between its reservation and the answer to it: nobody was asked, so nothing is lost."""
    known = books.open(100, (LINE,), FACTS)
    Accounts(database).open(books.unwritten(200, (LINE,), FACTS))
    books.leave()
    assert (held(database), open_calls(database)) == ({("key:a", "total", 0): (0, 100)}, 1)
    books.close(known, DONE)


def test_a_call_that_waits_to_be_written_keeps_its_reservation(books, database, monkeypatch):
    monkeypatch.setattr("lib.ledger.books.MAX_UNWRITTEN", 1)
    calls = [books.open(100, (LINE,), FACTS) for _ in range(3)]
    database.loses_answers = True
    books.close(calls[0], DONE)  # it is written, and nobody knows
    database.loses_answers, database.there = False, False
    books.close(calls[1], DONE)  # one too many
    database.there = True
    books.keep()
    assert held(database) == {("key:a", "total", 0): (40, 200)}
    assert open_calls(database) == 2


def test_a_worker_that_left_does_not_come_back(books, database):
    books.keep()
    books.leave()
    books.keep()
    assert database.run(lambda session: session.rows(Sql("SELECT id FROM workers"))) == []


def test_nothing_is_dropped_when_a_worker_leaves_while_it_writes(books, database):
    """Two that write what waits take turns: neither drops what the other has not written."""
    calls = [books.open(100, (LINE,), FACTS) for _ in range(5)]
    database.there = False
    for call in calls:
        books.close(call, DONE)
    database.there = True
    database.pause = 0.02
    keeping = threading.Thread(target=books.keep)
    keeping.start()
    books.leave()
    keeping.join()
    assert len(ledger(database)) == 5
    assert held(database) == {("key:a", "total", 0): (200, 0)}


def test_a_worker_with_much_to_write_is_not_taken_for_dead(database):
    now = NOW
    books = Books(Accounts(database), lease=30, clock=lambda: now)
    calls = [books.open(10, (LINE,), FACTS) for _ in range(12)]
    long = books.open(10, (LINE,), FACTS)
    database.there = False
    for call in calls:
        books.close(call, DONE)
    database.there = True

    def later() -> None:
        nonlocal now
        now += 4_000
        Accounts(database.inner).sweep(now - 30_000, now)

    database.after = later
    books.keep()
    database.after = None
    assert [how for id_, how, _ in ledger(database) if id_ == long.id] == []


def test_old_rows_go(books, database):
    call = books.open(100, (LINE,), FACTS)
    books.close(call, DONE)
    later = Books(Accounts(database), retention=100, clock=lambda: NOW + 100_001)
    assert later.tidy() == 1
    assert ledger(database) == []


def test_the_keeper_says_whether_the_database_is_there(books, database):
    found: list[bool] = []
    keeper = Keeper(books, found.append, lambda seconds: None)
    for there in (True, False, False, True):
        database.there = there
        keeper.turn()
    assert found == [True, False, False, True]


def test_a_file_that_cannot_be_made_is_unavailable(tmp_path: Path):
    (tmp_path / "file").write_text("")
    books = Books(Accounts(open_database(f"sqlite:///{tmp_path}/file/a.db", 1.0)))
    with pytest.raises(StoreUnavailable):
        books.open(0, (), FACTS)


def test_what_a_database_can_never_hold_holds_up_no_other(books, database):
    first, second = books.open(100, (LINE,), FACTS), books.open(100, (LINE,), FACTS)
    books.close(first, replace(DONE, provider=None, status=2**63))  # more than a column takes
    books.close(second, DONE)
    assert [found[0] for found in ledger(database)] == [second.id]


def test_a_keeper_goes_on_after_a_fault_of_its_own():
    class Faulty:
        heartbeat = 0.0
        turns = 0

        def keep(self) -> None:
            self.turns += 1
            raise ZeroDivisionError

    class Enough(BaseException):
        pass

    books = Faulty()

    def sleep(seconds: float) -> None:
        if books.turns == 3:
            raise Enough

    with pytest.raises(Enough):
        Keeper(books, lambda there: None, sleep).run()  # type: ignore[arg-type]
    assert books.turns == 3
