"""Floor 4: agents, whose runs have a cost cap, in the two contracts that they speak."""

from lib.agents.asking import Agents, Asker
from lib.agents.evaluation import Evaluation
from lib.agents.fields import BODIES, QUERIES
from lib.agents.guide import Guide
from lib.agents.models import Models, Prices
from lib.agents.spending import Spending

__all__ = ["BODIES", "QUERIES", "Agents", "Asker", "Evaluation", "Guide", "Models", "Prices", "Spending"]
