"""Where datasets and experiments are: on disk, or in S3 (moto's)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.assessment.measure import InputError, Place, lessons_of, read_dataset, read_experiment
from lib.net import aws
from tests.lib.assessment.measure.shared import dataset_folder, experiment_folder
from tests.upstream.aws_environment import isolated_aws


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """`s3://lessons/ai` has the experiments `one` and `two`, and a dataset."""
    from moto import mock_aws

    made = tmp_path / "made"
    experiment_folder(made / "experiments/one")
    experiment_folder(made / "experiments/two")
    dataset_folder(made / "datasets/data", {"ada": "EC"})
    with isolated_aws(monkeypatch), mock_aws():
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        client = aws.s3()
        client.create_bucket(Bucket="lessons")
        for path in made.rglob("*"):
            if path.is_file():
                client.put_object(Bucket="lessons", Key=f"ai/{path.relative_to(made)}", Body=path.read_bytes())
        yield


def test_a_folder(tmp_path: Path) -> None:
    for name in ("b", "a", ".git"):
        (tmp_path / name).mkdir()
    (tmp_path / "file").touch()
    assert Place(str(tmp_path)).names() == ["a", "b"]
    assert Place(str(tmp_path)).fetch("a") == tmp_path / "a"


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such folder"):
        Place(str(tmp_path / "absent")).names()


def test_experiments_and_datasets_in_s3(bucket: None, tmp_path: Path) -> None:
    experiments = Place("s3://lessons/ai/experiments", tmp_path / "copies")
    assert experiments.names() == ["one", "two"]
    folder = experiments.fetch("two")
    assert (folder.name, lessons_of(folder)) == ("two", ["L1"])
    experiment = read_experiment(folder, "L1")
    dataset = Place("s3://lessons/ai/datasets", tmp_path / "copies").fetch("data")
    assert list(read_dataset(dataset, "L1", experiment.rubric.concepts).programs) == ["ada"]


@pytest.mark.parametrize("text", ["s3://", "s3://absent/x"])
def test_what_s3_does_not_have(bucket: None, tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match="s3://"):
        Place(text, tmp_path).names()
