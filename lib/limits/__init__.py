"""Floor 2: what may be used: prices, the worst case of a request, budgets, and rates."""

from lib.limits.budgets import budget_lines, exceeded, run_line
from lib.limits.estimate import Estimate, estimate, estimated_usage
from lib.limits.price import Price
from lib.limits.prices import Prices
from lib.limits.rates import Rates
from lib.limits.taken import Taken

__all__ = [
    "Estimate",
    "Price",
    "Prices",
    "Rates",
    "Taken",
    "budget_lines",
    "estimate",
    "estimated_usage",
    "exceeded",
    "run_line",
]
