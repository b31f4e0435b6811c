"""Floor 2: what every call cost, and who pays."""

from lib.ledger.books import Books, milliseconds
from lib.ledger.entry import Exactness, Facts, Outcome, id_at, new_id
from lib.ledger.keeper import Keeper

__all__ = ["Books", "Exactness", "Facts", "Keeper", "Outcome", "id_at", "milliseconds", "new_id"]
