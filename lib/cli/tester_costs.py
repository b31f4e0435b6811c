"""What `bin/rubric-tester` will cost, and has: from the same prices as the server's, with no vendor's key needed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lib.assessment import measure
from lib.base import Settings
from lib.base.errors import AIProxyError, UnknownModel
from lib.limits import Price, estimate
from lib.wire import JsonBody, Shape, Usage, path_of
from lib.wiring import Services, build_prices, build_services

CHAT = path_of(Shape.CHAT)
CHARACTERS = 4  # of a text, to a token
ANSWER = 100  # tokens that a model writes about a concept, where no example shows it


@dataclass(frozen=True, slots=True)
class Reckoning:
    """Nano-USD: with answers as long as the examples, and as long as the model can make them."""

    likely: int = 0
    most: int = 0

    def __add__(self, other: Reckoning) -> Reckoning:
        return Reckoning(self.likely + other.likely, self.most + other.most)


class Reckoner:
    """Knows what gradings cost. Sees every vendor of models.toml as if its key were there."""

    def __init__(self, settings: Settings) -> None:
        self._services = priced(settings)
        self._prices = build_prices(settings, self._services.models)

    def reckon(self, experiment: measure.Experiment, code: str) -> Reckoning | None:
        """What grading a program costs; nothing when no model need be asked, None when the model has no price.

        Raises `InputError` for parameters that nobody can grade by.
        """
        try:
            fields = {name: [value] for name, value in measure.form(experiment, code).items()}
            bodies = self._services.grader.bodies(self._services.grader.read(fields))
        except UnknownModel:
            return None
        except AIProxyError as error:
            raise measure.InputError(f"{experiment.folder}: {error.message}") from None
        total = Reckoning()
        for body in bodies:
            found = self._of_body(experiment, body)
            if found is None:
                return None
            total += found
        return total

    def cost(self, model: str, usage: dict[str, int]) -> int | None:
        """What tokens that were used cost, when a proxy elsewhere tells no more than these."""
        try:
            price = next(self._of_model(model), None)
        except AIProxyError:  # a name that only the proxy knows
            return None
        if price is None:
            return None
        return price.cost(Usage(usage.get("prompt_tokens", 0), usage.get("completion_tokens", 0)))

    def _of_body(self, experiment: measure.Experiment, body: JsonBody) -> Reckoning | None:
        prices = list(self._of_model(str(body.get("model"))))
        known = [price for price in prices if price is not None]
        if prices[0] is None or len(known) < len(prices):
            return None
        output = _answer(experiment) * (body.get("n") or 1)
        likely = prices[0].cost(Usage(len(body.raw) // CHARACTERS, output))
        assumed = self._services.models.defaults.reserve_output
        return Reckoning(likely, max(estimate(CHAT, body, price, assumed).cost_nano for price in known))

    def _of_model(self, model: str) -> Iterator[Price | None]:
        """The price at each place that the name leads to."""
        chooser = self._services.gateway.chooser
        for place in chooser.places(chooser.model_name(model), CHAT):
            yield self._prices.price(place.provider.name, place.model)


def priced(settings: Settings) -> Services:
    """Services that could ask nobody, and know every vendor's models."""
    return build_services(settings.model_copy(update={"mock_model_responses": True, "metrics_port": 0}))


def _answer(experiment: measure.Experiment) -> int:
    """The tokens of an answer, by the examples."""
    lengths = [len(answer) for _, answer in experiment.examples]
    if not lengths:
        return ANSWER * len(experiment.rubric.concepts)
    return sum(lengths) // len(lengths) // CHARACTERS
