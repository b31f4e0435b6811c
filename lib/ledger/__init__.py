"""Floor 2: what every call cost, and who pays."""

from lib.ledger.books import Books, milliseconds
from lib.ledger.entry import MOST_COST, Exactness, Facts, Outcome, id_at, new_id
from lib.ledger.keeper import Keeper
from lib.ledger.query import BUDGETS, CALLS, SUMS, BudgetQuery, Parameter, Query, read_budgets, read_calls, read_sums
from lib.ledger.remaining import BudgetRow, remaining
from lib.ledger.report import COUNTS, CallRow, Grouping, Page, Reports, Sums, moment

__all__ = [
    "BUDGETS",
    "CALLS",
    "COUNTS",
    "MOST_COST",
    "SUMS",
    "Books",
    "BudgetQuery",
    "BudgetRow",
    "CallRow",
    "Exactness",
    "Facts",
    "Grouping",
    "Keeper",
    "Outcome",
    "Page",
    "Parameter",
    "Query",
    "Reports",
    "Sums",
    "id_at",
    "milliseconds",
    "moment",
    "new_id",
    "read_budgets",
    "read_calls",
    "read_sums",
    "remaining",
]
