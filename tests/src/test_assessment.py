"""`/assessment` over HTTP: where its fields may stand, its statuses and bodies, the samples, the report."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from threading import Event
from time import sleep
from typing import Any
from urllib.parse import parse_qsl, urlencode

import gevent
import pytest
from flask.testing import FlaskClient

from lib.assessment import Trees
from lib.assessment.measure import Measured
from lib.net.aside import SHORT
from src import create_app
from src.fields import _urlencoded
from tests.lib.assessment.grading.sheets import CONCEPTS, GIVEN, RUBRIC_TEXT, as_json, as_tsv
from tests.src.conftest import BEARER, settings
from tests.upstream import Answer, Behaviour, Upstream, deliver
from tests.upstream.gateway import KEY

Fronted = Callable[..., FlaskClient]
RAW = {"Authorization": KEY}
# The echo repeats a program that holds an answer, so the program says what the model answers.
FIELDS = {"code": as_tsv(), "prompt": "Grade it.", "rubric": RUBRIC_TEXT, "model": "echo"}
SAMPLES = ("/test/assessment", "/test/assessment/blank", "/test/assessment/examples", "/test/assessment/cfe")
SAMPLES += ("/examples", "/cfe")


@pytest.fixture
def teacher(client: FlaskClient) -> FlaskClient:
    """Calls with the key, as the website sends it."""
    client.environ_base["HTTP_AUTHORIZATION"] = KEY
    return client


def labels_of(answer: Any) -> dict[str, str]:
    """The labels of a 200."""
    assert answer.status_code == 200, answer.text
    return {row["Key Concept"]: row["Label"] for row in answer.get_json()["data"]}


# ---- where fields may stand ----


def test_urlencoded(teacher: FlaskClient) -> None:
    assert labels_of(teacher.post("/assessment", data=FIELDS)) == GIVEN


def test_the_query(teacher: FlaskClient) -> None:
    assert labels_of(teacher.post("/assessment", query_string=FIELDS)) == GIVEN


def test_multipart_fields_and_files(teacher: FlaskClient) -> None:
    for name in ("prompt", "code"):
        data = {**FIELDS, name: (io.BytesIO(FIELDS[name].encode()), "student.js")}
        answer = teacher.post("/assessment", data=data, content_type="multipart/form-data")
        assert labels_of(answer) == GIVEN


def test_json(teacher: FlaskClient) -> None:
    body = {**FIELDS, "num-responses": 2, "temperature": 0, "examples": [["a", as_json()]], "lesson": None}
    assert labels_of(teacher.post("/assessment", json=body)) == GIVEN


def test_the_query_goes_first(teacher: FlaskClient) -> None:
    answer = teacher.post("/assessment", query_string={"temperature": "x"}, data={**FIELDS, "temperature": "1"})
    assert (answer.status_code, "`temperature`" in answer.text) == (400, True)
    answer = teacher.post("/assessment", query_string={"temperature": "1"}, data={**FIELDS, "temperature": "x"})
    assert labels_of(answer) == GIVEN


def test_repeated_keys(teacher: FlaskClient) -> None:
    body = {**FIELDS, "temperature": ["1", "x"], "num-passing-labels": ["2", "3"]}
    assert labels_of(teacher.post("/assessment", data=body)) == GIVEN
    body = {**FIELDS, "code-feature-extractor": list(CONCEPTS[:2]), "lesson": "L"}
    assert f"`{CONCEPTS[0]}`" in teacher.post("/assessment", data=body).text


LESSON = "csd3-2023-L14"
GOALS = ["Position and Movement", "Modularity - Sprites and Sprite Properties"]
PLACED = {
    "code": "var cat = createSprite(1, 2);\nfunction draw() {\n  cat.x += 1;\n}\n",
    "prompt": "Grade it.",
    "rubric": "Key Concept,Extensive Evidence,Convincing Evidence,Limited Evidence,No Evidence\n"
    + "".join(f"{goal},all,most,some,none\n" for goal in GOALS),
    "model": "nobody/asks-it",
    "lesson": LESSON,
}


@pytest.mark.parametrize(
    "sent",
    [
        {"data": {**PLACED, "code-feature-extractor": GOALS}},
        {"data": {**PLACED, "code-feature-extractor": GOALS}, "content_type": "multipart/form-data"},
        {"data": {**PLACED, "code-feature-extractor": ",".join(reversed(GOALS))}},
        {"data": {**PLACED, "code-feature-extractor": json.dumps(GOALS)}},
        {"data": PLACED, "query_string": {"code-feature-extractor": GOALS}},
        {"json": {**PLACED, "code-feature-extractor": GOALS}},
    ],
    ids=["repeated", "multipart", "commas", "array", "query", "json"],
)
def test_every_goal_of_the_extractor_counts_and_no_model_is_asked(teacher: FlaskClient, sent: dict[str, Any]) -> None:
    answer = teacher.post("/assessment", **sent)
    assert list(labels_of(answer).items()) == [(GOALS[0], "No Evidence"), (GOALS[1], "Convincing Evidence")]
    body = answer.get_json()
    assert (body["metadata"]["agent"], body["metadata"]["cost"]) == ("static, code feature extractor", 0)
    assert [row["Reason"] for row in body["data"]] == ["none", "most"]
    assert body["data"][1]["Evidence"].endswith("Line 3: Property cat.x is updated in the draw loop")


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("application/json", b"[1]", 400),
        ("application/json", b"{", 400),
        ("application/json", b'{"code": "\\ud800"}', 400),
        ("application/json", b"\xff", 400),
        ("multipart/form-data", b"x", 400),
        ("multipart/form-data; boundary=b", b"nothing of the kind", 400),
        ("multipart/form-data; boundary=b", b"--b\r\nno header\r\n\r\nx\r\n--b--\r\n", 400),
        ("application/x-www-form-urlencoded", b"a=1&" * 2000, 400),
        ("application/x-www-form-urlencoded", b"%ff%fe=1&\xff\xfe", 400),
        ("application/x-www-form-urlencoded", b"", 400),
        ("text/plain", b"code", 415),
        ("application/octet-stream", b"\0\1\2", 415),
    ],
)
def test_broken_bodies(teacher: FlaskClient, kind: str, body: bytes, status: int) -> None:
    answer = teacher.post("/assessment", data=body, content_type=kind)
    assert (answer.status_code, answer.mimetype) == (status, "text/plain")


@pytest.mark.parametrize("code", [b"\xff\xfe\xfa", b"var a\0b", bytes(range(256))])
@pytest.mark.parametrize("where", ["urlencoded", "file"])
def test_binary_for_a_program(teacher: FlaskClient, code: bytes, where: str) -> None:
    if where == "file":
        data: Any = {**FIELDS, "code": (io.BytesIO(code), "a.js")}
        answer = teacher.post("/assessment", data=data, content_type="multipart/form-data")
    else:
        answer = teacher.post("/assessment", data={**FIELDS, "code": code})
    assert (answer.status_code, "`code`" in answer.text) == (400, True)


def test_a_program_of_five_megabytes(teacher: FlaskClient) -> None:
    form = b"--b\r\nContent-Disposition: form-data; name=code\r\n\r\n" + b"x" * 5_000_000 + b"\r\n--b--\r\n"
    for body, kind in (
        (b"code=" + b"x" * 5_000_000, "application/x-www-form-urlencoded"),
        (form, "multipart/form-data; boundary=b"),
    ):
        answer = teacher.post("/assessment", data=body, content_type=kind)
        assert (answer.status_code, answer.mimetype, answer.text[:8]) == (413, "text/plain", "student:")


def test_more_than_a_route_takes(teacher: FlaskClient) -> None:
    """All fields at their limits fit."""
    fits = {**FIELDS, "code": "a" * 999_999, "more": "+" * 2_000_000}
    assert teacher.post("/assessment", data=fits).status_code == 200
    answer = teacher.post("/assessment", data={**FIELDS, "more": "+" * 3_000_000})
    assert (answer.status_code, answer.mimetype) == (413, "text/plain")


def test_large_bodies_in_every_form(teacher: FlaskClient) -> None:
    prompt = "Grade it. é" + "[{" * 40_000 + "\r\n--\r\n" * 15_000
    fields = {**FIELDS, "prompt": prompt, "include-request": "1"}
    parts = [f"--b\r\nContent-Disposition: form-data; name={name}\r\n\r\n{text}\r\n" for name, text in fields.items()]
    for kind, body in (
        ("application/x-www-form-urlencoded", urlencode(fields)),
        ("application/json", json.dumps(fields)),
        ("multipart/form-data; boundary=b", "".join([*parts, "--b--\r\n"]).encode()),
    ):
        answer = teacher.post("/assessment", data=body, content_type=kind)
        assert answer.status_code == 200, answer.text
        assert answer.get_json()["metadata"]["request"]["messages"][0]["content"].startswith(prompt.strip())
    tangled = teacher.post("/assessment", json={**FIELDS, "more": [[]] * 100_001})
    assert (tangled.status_code, "arrays" in tangled.text) == (400, True)
    many = teacher.post("/assessment", json={**FIELDS, **dict.fromkeys(map(str, range(1000)), 1)})
    assert (many.status_code, "more than 1000 fields" in many.text) == (400, True)


@pytest.mark.parametrize("text", ["%", "%4", "%4x%41", "a%" * 40_000, "%C3%A9" * 30_000, "x%41" * 20_000, "+%2B" * 9])
def test_forms_are_decoded_as_everywhere(text: str) -> None:
    (found,) = _urlencoded(f"a={text}".encode())["a"]
    assert [("a", found)] == parse_qsl(f"a={text}", keep_blank_values=True, errors="surrogateescape")


def test_a_body_over_the_limit_of_all() -> None:
    client = create_app(settings(MAX_BODY_BYTES="10000")).test_client()
    answer = client.post("/assessment", data={**FIELDS, "code": "x" * 20_000}, headers=RAW)
    assert (answer.status_code, answer.mimetype) == (413, "text/plain")


# ---- statuses and bodies ----


@pytest.mark.parametrize("name", ["code", "prompt", "rubric"])
def test_what_must_be_there(teacher: FlaskClient, name: str) -> None:
    answer = teacher.post("/assessment", data={key: value for key, value in FIELDS.items() if key != name})
    assert (answer.status_code, answer.text) == (400, f"`{name}` is required")


@pytest.mark.parametrize(
    ("name", "value"),
    [("num-responses", "x"), ("temperature", "nan"), ("response-type", "xml"), ("examples", "{"), ("model", "nobody/x"),
     ("rubric", "No Concepts\n1\n"), ("rubric", "Key Concept\na\na\n"), ("code-feature-extractor", "Loops")],
)  # fmt: skip
def test_bad_parameters(teacher: FlaskClient, name: str, value: str) -> None:
    answer = teacher.post("/assessment", data={**FIELDS, name: value})
    assert (answer.status_code, answer.mimetype) == (400, "text/plain")
    assert f"`{name}`" in answer.text or "`lesson`" in answer.text


def test_an_answer_that_is_no_grading(teacher: FlaskClient) -> None:
    answer = teacher.post("/assessment", data={**FIELDS, "code": f"Key Concept\n{as_tsv()[:100]}"})
    assert (answer.status_code, answer.text[:22]) == (400, "InvalidResponseError: ")


def test_the_answer(teacher: FlaskClient) -> None:
    answer = teacher.post("/assessment", data=FIELDS)
    assert answer.content_type == "application/json"
    assert answer.text.endswith("}\n")
    body = answer.get_json()
    assert list(body) == ["data", "metadata"]
    assert set(body["data"][0]) == {"Key Concept", "Observations", "Evidence", "Label", "Reason"}
    metadata = body["metadata"]
    assert set(metadata) == {"agent", "student_id", "time", "usage", "cost"}
    assert (metadata["agent"], metadata["student_id"]) == ("echo", "student")
    assert set(metadata["usage"]) == {"prompt_tokens", "completion_tokens", "total_tokens"}


def test_the_request_only_when_asked_for(teacher: FlaskClient) -> None:
    answer = teacher.post("/assessment?include-request=1", data={**FIELDS, "api-key": "sk-own-0123456789"})
    assert set(answer.get_json()["metadata"]["request"]) == {"model", "temperature", "messages", "n"}
    assert "sk-own" not in answer.text


@pytest.mark.parametrize("path", ["/assessment", "/assessment/report", *SAMPLES])
@pytest.mark.parametrize("headers", [{}, {"Authorization": "wrong"}, {"Authorization": f"Bearer {KEY}x"}])
def test_without_the_key(client: FlaskClient, path: str, headers: dict[str, str]) -> None:
    for method in ("POST",) if path.startswith("/assessment") else ("POST", "GET"):
        answer = client.open(path, method=method, headers=headers)
        assert (answer.status_code, answer.mimetype) == (401, "application/json")
        assert answer.text == '{"error":"Unauthorized"}\n'


@pytest.mark.parametrize("headers", [RAW, BEARER, {"x-api-key": KEY}])
def test_with_the_key(client: FlaskClient, headers: dict[str, str]) -> None:
    assert labels_of(client.post("/assessment", data=FIELDS, headers=headers)) == GIVEN


def test_a_key_without_the_scope(app: Any, client: FlaskClient) -> None:
    made = client.post("/admin/keys", json={"name": "chats", "scopes": ["openai"]}, headers=BEARER).get_json()["key"]
    answer = client.post("/assessment", data=FIELDS, headers={"Authorization": made})
    assert (answer.status_code, answer.mimetype) == (403, "text/plain")


def test_other_methods(client: FlaskClient) -> None:
    assert client.get("/assessment", headers=BEARER).status_code == 405
    assert client.put("/test/assessment", headers=BEARER).status_code == 405


def test_what_decides_grades(teacher: FlaskClient) -> None:
    said = teacher.get("/assessment/fingerprint").get_json()
    assert said == {"fingerprint": said["fingerprint"], "rehearsed": False}
    answer = teacher.post("/assessment", data=FIELDS)
    assert answer.headers["X-Assessment-Fingerprint"] == said["fingerprint"]

    def other(**environ: str) -> str:
        client = create_app(settings(**environ)).test_client()
        return str(client.get("/assessment/fingerprint", headers=RAW).get_json()["fingerprint"])

    told = [
        other(),
        other(OPENAI_API_KEY="sk-0123456789"),
        other(MOCK_MODEL_RESPONSES="1"),
        other(AWS_REGION="eu-west-1"),
    ]
    told.append(other(OPENAI_API_KEY="sk-0123456789", OPENAI_BASE_URL="http://127.0.0.1:9/v1"))
    assert told[0] == said["fingerprint"]
    assert len(set(told)) == len(told)
    assert other(OPENAI_API_KEY="sk-9876543210") == told[1], "a key is no part of it"


def test_a_run_has_a_proper_name(teacher: FlaskClient) -> None:
    answer = teacher.post("/assessment", data=FIELDS, headers={"X-Run-ID": "x" * 257})
    assert (answer.status_code, "`X-Run-ID`" in answer.text) == (400, True)


# ---- vendors ----


def whole(body: dict[str, Any], status: int = 200) -> Behaviour:
    raw = json.dumps(body).encode()
    return Behaviour("whole", lambda call: deliver(Answer((raw,), status=status)))


def says(text: str) -> Behaviour:
    return whole({"choices": [{"index": 0, "message": {"role": "assistant", "content": text}}], "usage": {}})


@pytest.mark.parametrize(
    ("model", "word"), [("gpt-4o", "OpenAI"), ("openai/gpt-4o", "OpenAI"), ("claude-sonnet-4-5", "Anthropic")]
)
@pytest.mark.parametrize(("behaviour", "status"), [("error-500", 503), ("error-429", 429), ("error-401", 502)])
def test_failures_name_the_provider(
    fronted: Fronted, upstream: Upstream, model: str, word: str, behaviour: str, status: int
) -> None:
    upstream.plan(behaviour, *[behaviour] * (status != 502))
    answer = fronted().post("/assessment", data={**FIELDS, "model": model})
    assert (answer.status_code, answer.mimetype, word in answer.text) == (status, "text/plain", True)
    assert ("Retry-After" in answer.headers) == (status == 429)
    assert "Rate limit reached" not in answer.text
    assert "The server had an error" not in answer.text


@pytest.mark.parametrize("planned", [["silent"], ["error-503", "silent"], ["cut-body", "silent-half"]])
def test_no_answer_in_time(fronted: Fronted, upstream: Upstream, planned: list[str]) -> None:
    """Further attempts do not make it longer."""
    upstream.plan(*planned)
    client = fronted(ASSESSMENT_DEADLINE_SECONDS="1.5")
    answer = client.post("/assessment", data={**FIELDS, "model": "gpt-4o"})
    assert (answer.status_code, "OpenAI" in answer.text) == (504, True)
    assert float(answer.headers["X-Process-Time"]) < 10  # seconds; without a deadline for all attempts, 60 and more


def test_a_key_of_ones_own(fronted: Fronted, upstream: Upstream) -> None:
    upstream.plan(says(as_tsv()), says(as_tsv()), "error-401")
    client = fronted()
    own = {**FIELDS, "model": "gpt-4o", "api-key": "own-key-0123456789"}
    assert labels_of(client.post("/assessment", data=own)) == GIVEN
    assert labels_of(client.post("/assessment", data={**FIELDS, "model": "gpt-4o"})) == GIVEN
    answer = client.post("/assessment", data=own)
    assert (answer.status_code, "`api-key`" in answer.text, "own-key" in answer.text) == (400, True, False)
    used = [call.header("authorization") for call in upstream.calls]
    assert used == ["Bearer own-key-0123456789", "Bearer sk-vendor-openai-0123456789", "Bearer own-key-0123456789"]


def test_a_key_of_ones_own_where_the_gateway_has_none(fronted: Fronted, upstream: Upstream) -> None:
    upstream.plan(says(as_tsv()))
    client = fronted(OPENAI_API_KEY="")
    assert client.post("/assessment", data={**FIELDS, "model": "gpt-4o"}).status_code == 400
    assert labels_of(client.post("/assessment", data={**FIELDS, "model": "gpt-4o", "api-key": "own-key-01"})) == GIVEN


# ---- the default model ----


def default_model(monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], **given: str) -> str | None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/nonexistent")
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    app = create_app(settings(MOCK_MODEL_RESPONSES="true", **given))
    answer = app.test_client().get("/test/assessment?include-request=1", headers=BEARER)
    assert answer.status_code in (200, 400)
    return answer.get_json()["metadata"]["request"]["model"] if answer.status_code == 200 else None


def test_the_default_model_is_bedrocks_where_there_is_bedrock(monkeypatch: pytest.MonkeyPatch) -> None:
    bedrock = "bedrock.us.anthropic.claude-sonnet-4-5-20250929-v1:0"
    assert default_model(monkeypatch, {"AWS_PROFILE": "p"}) == bedrock
    assert default_model(monkeypatch, {}, AWS_ENDPOINT_URL="http://127.0.0.1:9") == bedrock
    assert default_model(monkeypatch, {}, ENVIRONMENT_TYPE="production") == bedrock
    assert default_model(monkeypatch, {}) == "echo"


# ---- samples ----


@pytest.mark.parametrize("path", SAMPLES)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_samples_run_offline(teacher: FlaskClient, path: str, method: str) -> None:
    answer = teacher.open(path, method=method)
    assert answer.status_code == 200
    agent = answer.get_json()["metadata"]["agent"]
    assert agent == {"blank": "static", "cfe": "echo, code feature extractor"}.get(path.rpartition("/")[2], "echo")
    assert len(labels_of(answer)) > 2


def test_samples_take_their_parameters(teacher: FlaskClient) -> None:
    wanted = {"num-responses": "3", "temperature": "0.9", "include-request": "1", "model": "echo/delay=0", "code": "x"}
    asked = teacher.get("/test/assessment", query_string=wanted).get_json()["metadata"]["request"]
    assert (asked["n"], asked["temperature"], asked["model"]) == (3, 0.9, "echo/delay=0")
    assert len(asked["messages"]) == 2
    asked = teacher.post("/test/assessment/examples", data=wanted).get_json()["metadata"]["request"]
    assert len(asked["messages"]) == 4
    assert teacher.get("/test/assessment?num-responses=x").status_code == 400
    assert teacher.get("/test/assessment/cfe?num-responses=x").status_code == 200
    assert teacher.get("/test/assessment/blank?code=var").get_json()["metadata"]["agent"] == "static"


def test_the_trees_of_the_samples_decide() -> None:
    assert Trees.load().pairs()


# ---- the report ----


def reported(**changes: Any) -> dict[str, Any]:
    rows = json.loads(as_json())
    program = {"student": "<b>Ada</b>", "code": "var a = '<script>';", "labels": GIVEN, "data": rows}
    other = {"student": "Bo", "code": "", "labels": GIVEN, "error": "504 timeout"}
    return {"lesson": "L1", "rubric": RUBRIC_TEXT, "programs": [{**program, **changes}, other]}


def test_a_report(teacher: FlaskClient) -> None:
    answer = teacher.post("/assessment/report", json=reported())
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert "<b>Ada</b>" not in answer.text
    assert "&lt;b&gt;Ada&lt;/b&gt;" in answer.text
    assert "'<script>'" not in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_a_report_of_what_assessment_answered(teacher: FlaskClient) -> None:
    graded = teacher.post("/assessment", data=FIELDS).get_json()
    answer = teacher.post("/assessment/report", json=reported(data=graded["data"], metadata=graded["metadata"]))
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ([], "object"),
        ({}, "rubric"),
        ({"rubric": RUBRIC_TEXT}, "programs"),
        ({"rubric": RUBRIC_TEXT, "programs": []}, "programs"),
        ({**reported(), "rubric": "x"}, "rubric"),
        (reported(labels={}), "programs[0].labels"),
        (reported(labels={**GIVEN, CONCEPTS[0]: "Some"}), "programs[0].labels"),
        (reported(data=[]), "programs[0].data"),
        (
            reported(data=[*json.loads(as_json()), {"Key Concept": CONCEPTS[0], "Label": "No Evidence"}]),
            "programs[0].data",
        ),
        (reported(data=[{"Key Concept": concept, "Label": "Good"} for concept in CONCEPTS]), "programs[0].data"),
        (reported(student="Bo"), "programs"),
        (reported(student=""), "student"),
        (reported(student=7), "student"),
    ],
)
def test_a_report_that_cannot_be_made(teacher: FlaskClient, body: Any, word: str) -> None:
    answer = teacher.post("/assessment/report", json=body)
    assert (answer.status_code, answer.mimetype, word in answer.text) == (400, "text/plain", True), answer.text


@pytest.mark.parametrize("number", ["-5", "1" + "0" * 400, "1e308", "true", '"5"', "null", "[5]"])
def test_numbers_that_a_report_leaves_out(teacher: FlaskClient, number: str) -> None:
    body = json.dumps(reported(metadata={"cost": 0, "time": 0, "usage": {"total_tokens": 0}})).replace(
        ": 0", f": {number}"
    )
    answer = teacher.post("/assessment/report", data=body, content_type="application/json")
    assert (answer.status_code, "$0.00" in answer.text) == (200, True)


def test_large_reports_are_made_one_by_one(teacher: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    inside: list[Measured] = []

    def render(measured: Measured) -> str:
        inside.append(measured)
        sleep(0.02)
        inside.remove(measured)
        return str(len(inside))

    monkeypatch.setattr("src.routes.assessment.render_report", render)
    large = reported(code="x" * SHORT)
    posts = [gevent.spawn(teacher.post, "/assessment/report", json=large) for _ in range(4)]
    gevent.joinall(posts, raise_error=True)
    assert [post.value.text for post in posts] == ["0"] * 4


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"code": "\n" * 200_001}, "lines"),
        ({"data": [{**row, "Evidence": "Line 1 " * 100_000} for row in json.loads(as_json())]}, "evidence"),
        ({"code": "x" * 999_999, "metadata": {"more": "x" * 8_000_000}}, "larger"),
    ],
)
def test_a_report_that_is_too_large(teacher: FlaskClient, changes: dict[str, Any], word: str) -> None:
    answer = teacher.post("/assessment/report", json=reported(**changes))
    assert (answer.status_code, answer.mimetype, word in answer.text) == (413, "text/plain", True), answer.text


def test_a_report_that_takes_too_long(teacher: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    done = Event()
    monkeypatch.setattr("src.routes.assessment.REPORT_SECONDS", 0.1)
    monkeypatch.setattr("src.routes.assessment.render_report", lambda _: str(done.wait(20)))
    answer = teacher.post("/assessment/report", json=reported(code="x" * SHORT))
    assert (answer.status_code, answer.mimetype) == (504, "text/plain")
    done.set()


def test_five_hundred_programs(teacher: FlaskClient) -> None:
    body = reported()
    body["programs"] = [{**body["programs"][1], "student": str(number)} for number in range(501)]
    assert teacher.post("/assessment/report", json=body).status_code == 400
    assert teacher.post("/assessment/report", json={**body, "programs": body["programs"][1:]}).status_code == 200


def test_a_report_from_no_json(teacher: FlaskClient) -> None:
    assert teacher.post("/assessment/report", data=b"{", content_type="application/json").status_code == 400
    assert teacher.post("/assessment/report", data={"a": "b"}).status_code == 415
