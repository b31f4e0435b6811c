"""Grading of students' programs, and the samples to try it on. See `lib.assessment`."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, jsonify

from lib.assessment import FINGERPRINT, MOST_REPORTED, Asker, Values, metadata, read_submitted, render_report, samples
from lib.base.errors import DeadlineExceeded, Draining
from lib.net import Aside, Wait
from src.context import caller, observation, services
from src.fields import request_fields
from src.streaming import json_body, run_id, watched

blueprint = Blueprint("assessment", __name__)

View = Callable[[], Response]

_ADJUSTABLE = ("model", "api-key", "remove-comments", "num-responses", "temperature", "include-request")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"
REPORT_SECONDS = 30.0  # from the request's start on
_pages = Aside()  # of its own: a large page takes ten seconds, and gradings do not wait for it


@blueprint.post("/assessment")
def assessment() -> Response:
    """Grade a program: a label, observations, evidence and a reason for each key concept of the rubric."""
    return _graded(_fields())


@blueprint.get("/assessment/fingerprint")
def grading() -> Response:
    """What decides grades here besides a request: a hash that is another when they may be."""
    grader = services().grader
    return jsonify(fingerprint=grader.fingerprint, rehearsed=grader.rehearsed)


@blueprint.post("/assessment/report")
def report() -> Response:
    """An HTML page about a set of graded programs: how often their labels are those that humans gave."""
    given = json_body(MOST_REPORTED)
    until = observation().record.started + REPORT_SECONDS
    with Wait(REPORT_SECONDS, DeadlineExceeded(), services().lifecycle, Draining()):
        page = _pages.run(lambda: render_report(read_submitted(given)), len(given), until)
    answer = Response(page, content_type="text/html; charset=utf-8")
    answer.headers["Content-Security-Policy"] = _POLICY
    return answer


def _served(*paths: str) -> Callable[[View], View]:
    """Serve a view at these paths, by GET and POST."""

    def serve(view: View) -> View:
        for path in paths:
            for method in ("GET", "POST"):
                blueprint.add_url_rule(path, f"{method.lower()}{path.replace('/', '_')}", view, methods=[method])
        return view

    return serve


@_served("/test/assessment")
def sample() -> Response:
    """Grade a program of the sample lessons, asking for JSON."""
    return _sample(samples.PLAIN, {"response-type": ["json"], "examples": []}, _ADJUSTABLE)


@_served("/test/assessment/blank")
def blank() -> Response:
    """Grade an empty program: no model is asked."""
    return _sample(samples.PLAIN, {"code": [""], "examples": []}, _ADJUSTABLE)


@_served("/test/assessment/examples", "/examples")
def examples() -> Response:
    """Grade a program of the sample lessons, with a worked example."""
    return _sample(samples.WITH_EXAMPLES, {}, _ADJUSTABLE)


@_served("/test/assessment/cfe", "/cfe")
def cfe() -> Response:
    """Grade a program of the sample lessons, a concept of which the static analyser decides."""
    return _sample(samples.WITH_TREES, {}, ("model", "api-key"))


def _fields() -> Values:
    grader = services().grader
    return request_fields(grader.aside, grader.deadline)


def _sample(which: samples.Sample, changed: Values, adjustable: tuple[str, ...]) -> Response:
    given = {name: values for name, values in _fields().items() if name in adjustable}
    return _graded({**samples.fields_of(which), **changed, **given})


def _graded(fields: Values) -> Response:
    grader = services().grader
    request, run = grader.read(fields), run_id()
    with watched() as watch:
        graded = grader.grade(request, Asker(caller(), watch, observation().record, run))
    answer = jsonify(data=[row.shown() for row in graded.rows], metadata=metadata(graded))
    answer.headers[FINGERPRINT] = grader.fingerprint
    return answer
