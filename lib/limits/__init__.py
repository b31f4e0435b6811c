"""Floor 2: what may be used: prices, and the worst case of a request."""

from lib.limits.estimate import Estimate, estimate, estimated_usage
from lib.limits.price import Price
from lib.limits.prices import Prices
from lib.limits.rates import Flat, Rates, Tier

__all__ = ["Estimate", "Flat", "Price", "Prices", "Rates", "Tier", "estimate", "estimated_usage"]
