"""Budgets under every order of events, beside a model that a child could follow."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from lib.stores import Accounts, Line, Overdrawn, Reservation, open_database
from tests.databases import new_sqlite
from tests.lib.stores.books import NOW, held, ledger, open_calls, reservation, row

LINES = (Line("a", "day", 0, 100), Line("a", "month", 0, 150), Line("b", "total", 0, 80))
PAIRS = st.sets(st.sampled_from(LINES), max_size=3).map(tuple)


class BudgetMachine(RuleBasedStateMachine):
    """Calls open, close, come to nothing, get lost and come back. Costs may be above what was reserved."""

    calls = Bundle("calls")
    lost = Bundle("lost")

    def __init__(self) -> None:
        super().__init__()
        self.database = open_database(new_sqlite(), 5.0)
        self.accounts = Accounts(self.database)
        self.spent = dict.fromkeys(LINES, 0)
        self.open: dict[str, Reservation] = {}
        self.rows: dict[str, tuple[str, int]] = {}
        self.over = dict.fromkeys(LINES, 0)  # by how much costs were above what was reserved

    def reserved(self, line: Line) -> int:
        return sum(call.amount for call in self.open.values() if line in call.lines)

    @rule(target=calls, amount=st.integers(0, 110), lines=PAIRS)
    def opens(self, amount: int, lines: tuple[Line, ...]) -> Reservation | None:
        call = reservation(amount, *lines)
        fits = all(self.spent[line] + self.reserved(line) + amount <= line.cap for line in lines)
        try:
            self.accounts.open(call)
        except Overdrawn:
            assert not fits
            return None
        assert fits
        self.open[call.id] = call
        return call

    @rule(call=consumes(calls), cost=st.integers(0, 120))
    def closes(self, call: Reservation | None, cost: int) -> None:
        if call is None or call.id not in self.open:
            return
        self.accounts.close(call, row(call, cost), NOW)
        self._settled(self.open.pop(call.id), cost, "exact")

    @rule(call=calls)
    def closes_again(self, call: Reservation | None) -> None:
        if call is not None and call.id in self.rows and self.rows[call.id][0] == "exact":
            self.accounts.close(call, row(call, 77), NOW)

    @rule(call=consumes(calls))
    def comes_to_nothing(self, call: Reservation | None) -> None:
        if call is not None and call.id in self.open:
            self.accounts.release(call, NOW)
            del self.open[call.id]

    @rule()
    def is_swept(self) -> None:
        self.accounts.sweep(NOW + 1, NOW + 1, 1000)
        for call in list(self.open.values()):
            self._settled(self.open.pop(call.id), call.amount, "lost")

    @rule(call=consumes(calls), cost=st.integers(0, 120))
    def comes_back(self, call: Reservation | None, cost: int) -> None:
        if call is None or self.rows.get(call.id, ("", 0))[0] != "lost":
            return
        self.accounts.close(call, row(call, cost), NOW)
        for line in call.lines:
            self.spent[line] += cost - call.amount
            self.over[line] += max(0, cost - call.amount)
        self.rows[call.id] = ("exact", cost)

    def _settled(self, call: Reservation, cost: int, how: str) -> None:
        for line in call.lines:
            self.spent[line] += cost
            self.over[line] += max(0, cost - call.amount)
        self.rows[call.id] = (how, cost)

    @invariant()
    def books_agree(self) -> None:
        found = held(self.database)
        for line in LINES:
            spent, reserved = found.get((line.owner, line.period, line.start), (0, 0))
            assert (spent, reserved) == (self.spent[line], self.reserved(line))
            assert spent + reserved <= line.cap + self.over[line]
        assert {id_: (how, cost) for id_, how, cost in ledger(self.database)} == self.rows
        assert open_calls(self.database) == len(self.open)

    def teardown(self) -> None:
        self.database.close()


TestBudgets = BudgetMachine.TestCase
TestBudgets.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
