"""Reserving and settling: all of it or nothing, whoever asks at the same time, whoever ends in between."""

from __future__ import annotations

import multiprocessing
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from lib.stores import Accounts, Database, Line, Overdrawn, Sql, open_database
from tests.lib.stores.books import DAY, MONTH, NOW, held, ledger, open_calls, reservation, row

KEY_MONTH, KEY_DAY = ("key:a", "month", MONTH.start), ("key:a", "day", DAY.start)


@pytest.fixture
def accounts(database: Database) -> Accounts:
    return Accounts(database)


def test_what_is_reserved_is_given_back_but_for_the_cost(accounts, database):
    call = reservation(500, MONTH, DAY)
    accounts.open(call)
    assert held(database) == {KEY_MONTH: (0, 500), KEY_DAY: (0, 500)}
    accounts.close(call, row(call, 120), NOW)
    assert held(database) == {KEY_MONTH: (120, 0), KEY_DAY: (120, 0)}
    assert ledger(database) == [(call.id, "exact", 120)]
    assert open_calls(database) == 0


def test_a_call_that_does_not_fit_takes_nothing(accounts, database):
    accounts.open(reservation(500, MONTH, DAY))
    with pytest.raises(Overdrawn) as caught:
        accounts.open(reservation(101, MONTH, DAY))
    assert (caught.value.standing.line, caught.value.standing.left) == (DAY, 100)
    assert held(database) == {KEY_MONTH: (0, 500), KEY_DAY: (0, 500)}
    accounts.open(reservation(100, MONTH, DAY))
    assert held(database)[KEY_DAY] == (0, 600)


def test_a_call_above_the_cap_is_refused_at_once(accounts, database):
    with pytest.raises(Overdrawn):
        accounts.open(reservation(601, MONTH, DAY))
    assert held(database) == {}
    assert open_calls(database) == 0


def test_what_is_spent_counts_as_what_is_reserved_does(accounts):
    call = reservation(600, DAY)
    accounts.open(call)
    accounts.close(call, row(call, 550), NOW)
    with pytest.raises(Overdrawn) as caught:
        accounts.open(reservation(51, DAY))
    assert caught.value.standing.left == 50
    accounts.open(reservation(50, DAY))


def test_a_call_that_cost_more_than_was_reserved_is_charged_all_of_it(accounts, database):
    call = reservation(10, DAY)
    accounts.open(call)
    accounts.close(call, row(call, 700), NOW)
    assert held(database) == {KEY_DAY: (700, 0)}
    with pytest.raises(Overdrawn) as caught:
        accounts.open(reservation(1, DAY))
    assert caught.value.standing.left == 0


def test_a_larger_cap_holds_at_once(accounts):
    accounts.open(reservation(600, DAY))
    accounts.open(reservation(600, Line(DAY.owner, DAY.period, DAY.start, 1200, DAY.lapses_after)))


def test_the_next_period_begins_with_nothing(accounts, database):
    call = reservation(600, DAY)
    accounts.open(call)
    tomorrow = Line(DAY.owner, DAY.period, DAY.start + 86_400_000, DAY.cap, DAY.lapses_after)
    accounts.open(reservation(600, tomorrow))
    accounts.close(call, row(call, 600), NOW + 86_400_000)
    assert held(database) == {KEY_DAY: (600, 0), ("key:a", "day", tomorrow.start): (0, 600)}


def test_owners_do_not_share(accounts, database):
    accounts.open(reservation(600, DAY))
    accounts.open(reservation(600, Line("key:b", "day", DAY.start, 600)))
    assert len(held(database)) == 2


def test_a_call_without_a_budget_has_a_row_as_well(accounts, database):
    call = reservation(0)
    accounts.open(call)
    assert open_calls(database) == 1
    accounts.close(call, row(call, 5), NOW)
    assert (held(database), ledger(database)) == ({}, [(call.id, "exact", 5)])


def test_settling_twice_changes_nothing(accounts, database):
    call = reservation(100, DAY)
    accounts.open(call)
    accounts.close(call, row(call, 40), NOW)
    accounts.close(call, row(call, 60), NOW)
    assert (held(database), ledger(database)) == ({KEY_DAY: (40, 0)}, [(call.id, "exact", 40)])


def test_a_released_call_leaves_no_trace(accounts, database):
    call = reservation(100, DAY)
    accounts.open(call)
    accounts.release(call, NOW)
    accounts.release(call, NOW)
    assert (held(database), ledger(database), open_calls(database)) == ({KEY_DAY: (0, 0)}, [], 0)


def test_a_call_that_was_let_through_is_charged_later(accounts, database):
    call = reservation(100, DAY)  # never opened: the database was away
    accounts.close(call, row(call, 40), NOW)
    assert (held(database), ledger(database)) == ({KEY_DAY: (40, 0)}, [(call.id, "exact", 40)])


# ---- the dead ----


def test_calls_of_a_silent_worker_are_lost_and_charged_what_was_reserved(accounts, database):
    accounts.alive("w1", NOW)
    accounts.alive("w2", NOW + 40_000)
    lost, alive = reservation(100, DAY), reservation(200, DAY, worker="w2")
    accounts.open(lost)
    accounts.open(alive)
    assert accounts.sweep(NOW, NOW + 40_000).closed == 0
    assert accounts.sweep(NOW + 1, NOW + 40_000).closed == 1
    assert (held(database), ledger(database)) == ({KEY_DAY: (100, 200)}, [(lost.id, "lost", 100)])
    assert accounts.sweep(NOW + 1, NOW + 40_000).closed == 0


def test_a_worker_that_nobody_knows_is_given_its_time(accounts):
    accounts.open(reservation(100, DAY, worker="unknown"))
    assert accounts.sweep(NOW, NOW).closed == 0
    assert accounts.sweep(NOW + 1, NOW + 1).closed == 1


def test_a_lost_call_that_comes_back_is_charged_what_it_cost(accounts, database):
    call = reservation(100, DAY)
    accounts.open(call)
    accounts.sweep(NOW + 1, NOW + 1)
    accounts.close(call, row(call, 30), NOW)
    accounts.close(call, row(call, 30), NOW)
    assert (held(database), ledger(database)) == ({KEY_DAY: (30, 0)}, [(call.id, "exact", 30)])


def test_sweeping_goes_in_batches(accounts, database):
    for _ in range(5):
        accounts.open(reservation(1, DAY))
    assert [accounts.sweep(NOW + 1, NOW + 1, 2).closed for _ in range(4)] == [2, 2, 1, 0]
    assert held(database) == {KEY_DAY: (5, 0)}


# ---- the old ----


def test_old_rows_and_lapsed_lines_go_in_batches(accounts, database):
    calls = [reservation(10, DAY, at=NOW + n) for n in range(5)]
    for call in calls:
        accounts.open(call)
        accounts.close(call, row(call, 1), NOW)
    assert accounts.tidy(NOW, f"{NOW + 4:012x}", most=3) == 3
    assert accounts.tidy(NOW, f"{NOW + 4:012x}", most=3) == 1
    assert accounts.tidy(NOW, f"{NOW + 4:012x}", most=3) == 0
    assert [found[0] for found in ledger(database)] == [calls[4].id]
    assert accounts.tidy(DAY.lapses_after + 1, None) == 1
    assert held(database) == {}


def test_a_line_with_open_calls_does_not_lapse(accounts, database):
    accounts.open(reservation(10, DAY))
    assert accounts.tidy(DAY.lapses_after + 1, None) == 0
    assert held(database) == {KEY_DAY: (0, 10)}


def test_a_line_that_is_reserved_on_meanwhile_does_not_lapse(accounts, database, url):
    call = reservation(10, DAY)
    accounts.open(call)
    accounts.close(call, row(call, 1), NOW)
    slow = _Slow(open_database(url, 20.0))
    with ThreadPoolExecutor(2) as pool:
        reserving = pool.submit(Accounts(slow).open, reservation(20, DAY))
        slow.reached.wait(10)
        tidying = pool.submit(accounts.tidy, DAY.lapses_after + 1, None)
        time.sleep(0.3)  # by now it waits for the line
        slow.may_commit.set()
        reserving.result(10)
        tidying.result(10)
    slow.close()
    assert held(database) == {KEY_DAY: (1, 20)}


class _Slow:
    """A database that waits before each COMMIT."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.close = database.close
        self.reached, self.may_commit = threading.Event(), threading.Event()

    def run(self, work):
        def slowly(session):
            done = work(session)
            self.reached.set()
            self.may_commit.wait(10)
            return done

        return self._database.run(slowly)


def test_a_total_never_lapses(accounts, database):
    line = Line("key:a", "total", 0, 100)
    call = reservation(10, line)
    accounts.open(call)
    accounts.close(call, row(call, 1), NOW)
    assert accounts.tidy(NOW * 2, None) == 0


# ---- all at once ----


def test_threads_together_never_go_above_the_cap(accounts, database):
    def one(number: int) -> int:
        try:
            call = reservation(7, MONTH, DAY, at=NOW + number)
            accounts.open(call)
        except Overdrawn:
            return 0
        accounts.close(call, row(call, 7), NOW)
        return 7

    with ThreadPoolExecutor(16) as pool:
        spent = sum(pool.map(one, range(300)))
    assert spent == 595  # the largest multiple of 7 within 600
    assert held(database) == {KEY_MONTH: (595, 0), KEY_DAY: (595, 0)}
    assert sum(cost for _, _, cost in ledger(database)) == 595


def _reserve_all(url: str, seed: int, results: multiprocessing.Queue) -> None:
    accounts = Accounts(open_database(url, 20.0))
    taken = 0
    for number in range(100):
        try:
            accounts.open(reservation(7, MONTH, DAY, worker=f"w{seed}", at=NOW + number))
            taken += 7
        except Overdrawn:
            pass
    results.put(taken)


def test_processes_together_never_go_above_the_cap(url, database):
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    workers = [context.Process(target=_reserve_all, args=(url, seed, results)) for seed in range(3)]
    for worker in workers:
        worker.start()
    total = sum(results.get(timeout=60) for _ in workers)
    for worker in workers:
        worker.join()
    assert total == 595
    assert held(database) == {KEY_MONTH: (0, 595), KEY_DAY: (0, 595)}


def test_a_reservation_that_cannot_be_read_does_not_keep_the_others_open(accounts, database):
    broken, sound = reservation(100, DAY), reservation(50, DAY)
    accounts.open(broken)
    accounts.open(sound)
    spoil = Sql("UPDATE reservations SET lines = '[[1]]' WHERE id = :id")
    database.run(lambda session: session.change(spoil, {"id": broken.id}))
    swept = accounts.sweep(NOW + 1, NOW + 1)
    assert (swept.closed, swept.unreadable) == (1, [broken.id])
    assert [found[0] for found in ledger(database)] == [sound.id]


def test_a_run_is_known_from_its_last_call_on(accounts, database):
    older, newer = (Line("run:a", "total", 0, 1000, NOW + after) for after in (10, 20))
    first, second = reservation(1, older), reservation(1, newer)
    accounts.open(first)
    accounts.open(second)
    accounts.close(second, row(second, 1), NOW)
    accounts.close(first, row(first, 1), NOW)
    assert accounts.tidy(NOW + 15, None) == 0
    assert accounts.tidy(NOW + 21, None) == 1
