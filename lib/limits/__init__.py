"""Floor 2: what may be used: prices, the worst case of a request, budgets, and rates."""

from lib.limits.budgets import budget_lines, exceeded, run_line
from lib.limits.estimate import Estimate, estimate, estimated_usage
from lib.limits.hidden_costs import refuse_hidden_costs, tells_all
from lib.limits.price import Price
from lib.limits.prices import Prices, row_name
from lib.limits.rate_card import Flat, RateCard, Tier
from lib.limits.rates import Rates
from lib.limits.taken import Taken
from lib.limits.unseen import Unseen, unseen

__all__ = [
    "Estimate",
    "Flat",
    "Price",
    "Prices",
    "RateCard",
    "Rates",
    "Taken",
    "Tier",
    "Unseen",
    "budget_lines",
    "estimate",
    "estimated_usage",
    "exceeded",
    "refuse_hidden_costs",
    "row_name",
    "run_line",
    "tells_all",
    "unseen",
]
