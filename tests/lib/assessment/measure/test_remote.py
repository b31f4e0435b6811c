"""Grading by a proxy elsewhere: what is sent, what is tried again, what is made of the answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from gevent.pywsgi import WSGIServer

from lib.assessment import CONVINCING, EXTENSIVE
from lib.assessment.measure import Cache, Experiment, InputError, RemoteGrader, Ungraded, read_experiment
from tests.lib.assessment.measure.shared import experiment_folder, write

ROWS = [
    {"Key Concept": "Loops", "Label": EXTENSIVE, "Observations": "o", "Evidence": None, "Reason": "r", "More": "x"},
    {"Key Concept": "If, else", "Grade": CONVINCING},
]
METADATA = {"agent": "openai", "time": 1.5, "usage": {"total_tokens": 9}}


class Proxy:
    """Answers as it is told; the last answer goes on."""

    def __init__(self) -> None:
        self.answers: list[tuple[str, dict[str, str], bytes]] = []
        self.asked: list[dict[str, str]] = []
        self.heads: list[dict[str, Any]] = []
        self.tells({"data": ROWS, "metadata": METADATA})

    def tells(self, *answers: Any) -> None:
        self.answers = [
            answer if isinstance(answer, tuple) else ("200 OK", {}, json.dumps(answer).encode()) for answer in answers
        ]

    def __call__(self, environ: dict[str, Any], start: Any) -> list[bytes]:
        self.heads.append(environ)
        self.asked.append(dict(parse_qsl(environ["wsgi.input"].read().decode(), keep_blank_values=True)))
        status, headers, body = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        start(status, list(headers.items()))
        return [body]


@pytest.fixture
def proxy() -> Proxy:
    return Proxy()


@pytest.fixture
def grader(proxy: Proxy) -> Iterator[RemoteGrader]:
    server = WSGIServer(("127.0.0.1", 0), proxy, log=None)
    server.start()
    url = f"http://127.0.0.1:{server.server_port}/ai/"
    grader = RemoteGrader(url, "the-key", lambda model, usage: {"echo": 7}[model] * usage["total_tokens"], (0.0, 0.0))
    yield grader
    grader.close()
    server.stop()


@pytest.fixture
def experiment(tmp_path: Path) -> Experiment:
    folder = experiment_folder(tmp_path / "exp", lesson="L1", code_feature_extractor=["Loops"], remove_comments="1")
    params = json.loads((folder / "L1/params.json").read_text()) | {"lesson": "csd3-2023-L11"}
    write(folder / "L1/params.json", json.dumps(params))
    write(folder / "L1/examples/a.js", "a()")
    write(folder / "L1/examples/a.tsv", "Key Concept\n")
    return read_experiment(folder, "L1")


def test_it_asks_as_the_website_does(grader: RemoteGrader, proxy: Proxy, experiment: Experiment) -> None:
    grader.grade(experiment, "var é;")
    head = proxy.heads[0]
    assert (head["REQUEST_METHOD"], head["PATH_INFO"], head["HTTP_AUTHORIZATION"]) == (
        "POST",
        "/ai/assessment",
        "the-key",
    )
    assert proxy.asked[0] == {
        "code": "var é;",
        "prompt": "Grade it.",
        "rubric": experiment.rubric.text,
        "examples": '[["a()", "Key Concept\\n"]]',
        "model": "echo",
        "num-responses": "1",
        "temperature": "0.2",
        "remove-comments": "1",
        "response-type": "tsv",
        "code-feature-extractor": '["Loops"]',
        "lesson": "csd3-2023-L11",
    }


def test_what_it_makes_of_the_answer(grader: RemoteGrader, experiment: Experiment) -> None:
    found = grader.grade(experiment, "")
    assert [(row.concept, row.label, row.evidence) for row in found.rows] == [
        ("Loops", EXTENSIVE, ""),
        ("If, else", CONVINCING, ""),
    ]
    assert (found.agent, found.seconds, found.usage, found.cost) == ("openai", 1.5, {"total_tokens": 9}, 63)


def test_what_no_model_was_asked_about_is_free(grader: RemoteGrader, proxy: Proxy, experiment: Experiment) -> None:
    proxy.tells({"data": ROWS, "metadata": {"agent": "static"}})
    assert grader.grade(experiment, "").cost == 0


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable", "504 Gateway Timeout"])
def test_what_may_pass_is_tried_again(grader: RemoteGrader, proxy: Proxy, experiment: Experiment, status: str) -> None:
    again = (status, {"Retry-After": "0"}, b"later")
    proxy.tells(again, again, {"data": ROWS})
    assert len(grader.grade(experiment, "").rows) == 2
    assert len(proxy.asked) == 3


@pytest.mark.parametrize(("status", "times"), [("503 Service Unavailable", 3), ("413 Too Large", 1), ("400 Bad", 1)])
def test_what_does_not_is_raised(
    grader: RemoteGrader, proxy: Proxy, experiment: Experiment, status: str, times: int
) -> None:
    proxy.tells((status, {}, b"in words"))
    with pytest.raises(Ungraded, match=f"{status[:3]} refused: in words"):
        grader.grade(experiment, "")
    assert len(proxy.asked) == times


@pytest.mark.parametrize("answer", [
    [],
    {},
    {"data": {}},
    {"data": ["x"]},
    {"data": ROWS[:1]},
    {"data": [{"Key Concept": "Loops", "Label": ""}, ROWS[1]]},
    {"data": [{"Label": EXTENSIVE}, *ROWS]},
    {"data": ROWS, "metadata": "x"},
    ("200 OK", {}, b"<html>"),
])  # fmt: skip
def test_answers_that_are_none(grader: RemoteGrader, proxy: Proxy, experiment: Experiment, answer: Any) -> None:
    proxy.tells(answer)
    with pytest.raises(Ungraded):
        grader.grade(experiment, "")


def test_nobody_there(experiment: Experiment) -> None:
    with pytest.raises(Ungraded):
        RemoteGrader("http://127.0.0.1:1", None, pauses=()).grade(experiment, "")


def test_an_address_that_is_none(experiment: Experiment) -> None:
    with pytest.raises(InputError, match="--url"):
        RemoteGrader("example", None).check(experiment)


def test_what_a_proxy_says_of_itself(grader: RemoteGrader, proxy: Proxy, experiment: Experiment) -> None:
    said = ("200 OK", {"X-Assessment-Fingerprint": "f1"}, json.dumps({"data": ROWS}).encode())
    proxy.tells({"fingerprint": "f1", "rehearsed": True}, said)
    assert (grader.identity(), grader.rehearsed(), grader.identity()) == ("f1", True, "f1")
    assert [(head["REQUEST_METHOD"], head["PATH_INFO"]) for head in proxy.heads] == [
        ("GET", "/ai/assessment/fingerprint")
    ]
    assert grader.grade(experiment, "").fingerprint == "f1"


@pytest.mark.parametrize("answer", [("404 Not Found", {}, b""), ("200 OK", {}, b"<html>"), {"fingerprint": 7}, {}])
def test_a_proxy_that_does_not_say(grader: RemoteGrader, proxy: Proxy, answer: Any) -> None:
    proxy.tells(answer)
    assert (grader.identity(), grader.rehearsed()) == (None, False)


def test_a_proxy_that_became_another_is_not_remembered(
    grader: RemoteGrader, proxy: Proxy, experiment: Experiment
) -> None:
    proxy.tells(
        {"fingerprint": "f1"}, ("200 OK", {"X-Assessment-Fingerprint": "f2"}, json.dumps({"data": ROWS}).encode())
    )
    cache = Cache.of(experiment, grader.identity())
    cache.put("a", grader.grade(experiment, "a"))
    assert cache.get("a") is None
    proxy.tells(("200 OK", {"X-Assessment-Fingerprint": "f1"}, json.dumps({"data": ROWS}).encode()))
    cache.put("a", grader.grade(experiment, "a"))
    assert cache.get("a") is not None


def test_nobody_there_to_say_it() -> None:
    with pytest.raises(InputError, match="--url"):
        RemoteGrader("http://127.0.0.1:1", None).identity()
