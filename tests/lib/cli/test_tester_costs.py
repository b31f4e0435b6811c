"""What a run will cost: from prices, whether or not there are keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.assessment.measure import Experiment, InputError, changed, read_experiment
from lib.base import Settings, load
from lib.cli.tester_costs import Reckoner, Reckoning
from tests.house.tree import ROOT
from tests.lib.assessment.measure.shared import experiment_folder, write

PRICES = """
[providers.openai]
base_url = "https://api.openai.com/v1"
prefixes = ["gpt-"]
[prices."openai/gpt-x"]
input = 1
output = 10
reserve_output = 1000
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    models = write(tmp_path / "models.toml", PRICES)
    return load({"MODELS_FILE": str(models)}, str(tmp_path / "absent.txt"))


@pytest.fixture
def experiment(tmp_path: Path) -> Experiment:
    return read_experiment(experiment_folder(tmp_path / "exp", model="gpt-x"), "L1")


def test_the_most_is_more_than_what_is_likely(settings: Settings, experiment: Experiment) -> None:
    found = Reckoner(settings).reckon(experiment, "var x;")
    assert found is not None
    assert 200 * 10_000 < found.likely < found.most  # two concepts, 100 tokens each, 10 USD for a million
    assert found.most > 1000 * 10_000


def test_votes_cost_more(settings: Settings, experiment: Experiment) -> None:
    reckoner = Reckoner(settings)
    one, three = (reckoner.reckon(changed(experiment, num_responses=n), "var x;") for n in (1, 3))
    assert one is not None
    assert three is not None
    assert three.likely > one.likely + 300 * 10_000


def test_examples_tell_how_long_an_answer_is(settings: Settings, experiment: Experiment, tmp_path: Path) -> None:
    write(experiment.folder / "examples/a.js", "a()")
    answer = 'Key Concept\tObservations\tLabel\tReason\nLoops\t{0}\tNo Evidence\t-\n"If, else"\t-\tNo Evidence\t-\n'
    write(experiment.folder / "examples/a.tsv", answer.format("o" * 40_000))
    found = Reckoner(settings).reckon(read_experiment(experiment.folder.parent, "L1"), "var x;")
    assert found is not None
    assert found.likely > 10_000 * 10_000


def test_a_blank_program_costs_nothing(settings: Settings, experiment: Experiment) -> None:
    assert Reckoner(settings).reckon(experiment, "\n") == Reckoning(0, 0)


@pytest.mark.parametrize("model", ["openai/unheard-of", "unheard-of"])
def test_no_price(settings: Settings, experiment: Experiment, model: str) -> None:
    reckoner = Reckoner(settings)
    assert reckoner.reckon(changed(experiment, model=model), "var x;") is None
    assert reckoner.cost(model, {"prompt_tokens": 1}) is None


def test_what_cannot_be_graded(settings: Settings, experiment: Experiment) -> None:
    with pytest.raises(InputError, match="no decision tree"):
        Reckoner(settings).reckon(changed(experiment, lesson="L1", extractor=("Loops",)), "var x;")


def test_used_tokens(settings: Settings) -> None:
    found = Reckoner(settings).cost("gpt-x", {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12})
    assert found == 10 * 1000 + 2 * 10_000


def test_the_samples_have_a_price() -> None:
    reckoner = Reckoner(load({"MODELS_FILE": str(ROOT / "models.toml")}, "absent.txt"))
    found = reckoner.reckon(read_experiment(ROOT / "examples/experiments/extractor", "csd3-2023-L18"), "var x;")
    assert found is not None
    assert 0 < found.likely < found.most
