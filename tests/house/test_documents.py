"""The documents say what the program does: generated parts are up to date, tables complete, links alive."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from lib.base import load
from lib.base.errors import AIProxyError, CallerError, GatewayError
from lib.cli import documents
from lib.gateway import headers
from lib.ledger import BUDGETS, CALLS, SUMS, BudgetRow, CallRow
from lib.providers.echo.knobs import Knobs
from lib.stores import GROUPS
from lib.wire.hints import ANTHROPIC_HINTS, ANTHROPIC_NEUTRAL, BEDROCK_HINTS, OPENAI_HINTS, OPENAI_NEUTRAL
from src import create_app
from src.openapi_assessment import GRADING
from tests.house.tree import ROOT

API = (ROOT / "API.md").read_text()
PAGES = sorted(ROOT.glob("*.md"))
LINK = re.compile(r"\[[^]]*\]\(([^)#\s]+)[^)]*\)")
PATH = re.compile(r"`((?:lib|src|tests|bin|bench)/[\w/.{},-]*)`")
SUPPORTED = {"stream_options", "model", "stream"}  # read by the gateway itself, not left out


def section(name: str) -> str:
    """What stands between `<!-- name -->` and the next `<!-- end -->` of API.md."""
    return API.partition(f"<!-- {name} -->")[2].partition("<!-- end -->")[0]


def words(text: str) -> list[str]:
    """What stands in backquotes."""
    return re.findall(r"`([^`]+)`", text)


def rows(name: str) -> list[list[str]]:
    """The cells of a table's rows."""
    lines = [line for line in section(name).splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def error_classes(kind: type[AIProxyError] = AIProxyError) -> Iterator[type[AIProxyError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from error_classes(below)


# ---- generated ----


def test_the_generated_documents_are_up_to_date(capsys):
    assert documents.main(["--check"]) == 0, "run python -m lib.cli.documents"


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) < 100


# ---- API.md ----


def test_every_route_is_in_the_table_and_every_row_is_a_route(tmp_path):
    app = create_app(load({}, tmp_path / "absent.txt"))
    served = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    written = re.findall(r"^\| (GET|POST|PUT|PATCH|DELETE) \| `(\S+)` \|", API, re.M)
    assert sorted(written) == sorted(served)


def test_the_table_says_which_routes_need_a_key(tmp_path):
    app = create_app(load({"AIPROXY_API_KEY": "a-key-of-this-test"}, tmp_path / "absent.txt"))
    written = re.findall(r"^\| (GET|POST) \| `(\S+)` \| (yes|no) \|", API, re.M)
    answers = {path: app.test_client().open(path, method=method).status_code for method, path, _ in written}
    assert {path: "yes" if status == 401 else "no" for path, status in answers.items()} == {
        path: key for _, path, key in written
    }


def test_every_error_code_is_in_the_table_with_its_status():
    branches = {CallerError, GatewayError}  # never raised as they are
    known = {(kind.code, kind.status) for kind in error_classes() if kind not in branches}
    written = {(words(code)[0], 400 if status == "any 4xx" else int(status)) for status, code, _ in rows("codes")}
    assert written == known


def test_the_table_of_codes_is_in_order():
    statuses = [status for status, *_ in rows("codes") if status.isdigit()]
    assert statuses == sorted(statuses)


def test_every_header_that_travels_is_named():
    assert set(words(section("headers up"))) == headers.UP | {f"{prefix}*" for prefix in headers.UP_PREFIXES}
    assert set(words(section("headers down"))) == headers.DOWN | set(headers.RENAMED)


def test_everything_that_calls_are_summed_by_is_named():
    assert words(section("groups")) == list(GROUPS)


def test_every_field_and_parameter_of_usage_is_named():
    text = re.sub(r"```.*?```", "", API.partition("\n## Usage\n")[2].partition("\n## Errors\n")[0], flags=re.S)
    fields = {*CallRow.__struct_fields__, *BudgetRow.__struct_fields__, *CALLS, *SUMS, *BUDGETS}
    assert fields - set(words(text)) == set()


def test_every_parameter_of_a_grading_is_in_the_table():
    assert {words(name)[0] for name, *_ in rows("grading")} == set(GRADING["properties"])


def test_every_knob_of_the_echo_is_in_the_table():
    assert [words(name)[0] for name, _ in rows("knobs")] == list(Knobs.__struct_fields__)


def test_every_field_that_is_left_out_in_silence_is_named():
    of_chat, of_messages, to_bedrock = (set(words(line)) for line in section("hints").strip().splitlines())
    assert of_chat == OPENAI_HINTS - SUPPORTED
    assert of_messages == ANTHROPIC_HINTS
    assert to_bedrock == BEDROCK_HINTS - SUPPORTED


def test_every_field_with_a_neutral_value_is_named():
    assert words(section("neutral")) == sorted({*OPENAI_NEUTRAL, *ANTHROPIC_NEUTRAL})


# ---- all pages ----


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_paths_lead_somewhere(page):
    text = page.read_text()
    links = [link for link in LINK.findall(text) if "://" not in link]
    paths = [path for path in PATH.findall(text) if not re.search(r"[{},]|\bx\b", path)]
    assert [path for path in links + paths if not (ROOT / path).exists()] == []


def test_a_dead_link_is_noticed():
    assert LINK.findall("see [API](API.md#errors) and [x](y.md)") == ["API.md", "y.md"]
    assert PATH.findall("`lib/wire/x.py` and `src`") == ["lib/wire/x.py"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_page_is_linked_from_the_readme(page):
    assert page.name in {"README.md", *LINK.findall((ROOT / "README.md").read_text())}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_blocks_of_code_are_closed(page):
    assert page.read_text().count("\n```") % 2 == 0
