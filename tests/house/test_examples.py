"""The examples of README.md and API.md, run as they stand against the real server."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house import curl
from tests.house.tree import ROOT
from tests.upstream import Gateway
from tests.upstream.gateway import Gateways

ADDRESS = "http://127.0.0.1:5000"


def blocks(page: str, language: str) -> list[str]:
    """The blocks of code in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", (ROOT / page).read_text(), re.M | re.S)


def examples(page: str) -> Iterator[tuple[int, str]]:
    """Each block of curl commands, with the status that it says it gets."""
    for block in blocks(page, "sh"):
        said = re.match(r"# answers (\d+)\n", block)
        yield int(said[1]) if said else 200, block


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateways]:
    gateways = Gateways(tmp_path_factory.mktemp("examples"))
    yield gateways
    gateways.stop()


@pytest.fixture(scope="module")
def closed(servers: Gateways) -> Gateway:
    """A server with a key, as API.md expects it."""
    return servers()


@pytest.fixture(scope="module")
def open_to_this_machine(servers: Gateways) -> Gateway:
    """A server without any key, as a newcomer starts it."""
    return servers(AIPROXY_API_KEY="")


def check(script: str, server: Gateway, expected: int, directory: Path) -> None:
    """Run each command of a block; each must answer as expected, in the type it should."""
    for command in curl.commands(script.replace(ADDRESS, server.url)):
        filled = [curl.variables(word, {"AIPROXY_API_KEY": server.key}) for word in command]
        answer = curl.run(filled, directory)
        assert answer.status == expected, answer.body
        if answer.content_type.startswith("application/json"):
            assert isinstance(json.loads(answer.body), dict | str | list)
        if '"stream": true' in script and "-N" in command:
            assert answer.content_type.startswith("text/event-stream")
            assert answer.body.rstrip().endswith(b"data: [DONE]")


@pytest.mark.parametrize(("expected", "script"), list(examples("API.md")))
def test_curl_in_api(closed, expected, script, tmp_path):
    check(script, closed, expected, tmp_path)


@pytest.mark.parametrize(("expected", "script"), list(examples("README.md")))
def test_curl_in_readme(open_to_this_machine, expected, script, tmp_path):
    check(script, open_to_this_machine, expected, tmp_path)


@pytest.mark.parametrize("program", blocks("README.md", "python"), ids=lambda text: text.split()[1])
def test_sdk_in_readme(open_to_this_machine, program, tmp_path):
    program = program.replace(ADDRESS, open_to_this_machine.url)
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout.strip(), done.stderr) == ("Hello there", "")


def test_there_are_examples_of_each_kind():
    assert {expected for expected, _ in examples("API.md")} == {200, 401, 429}
    assert len(blocks("README.md", "python")) == 2
    assert all(ADDRESS in block for page in ("README.md", "API.md") for block in blocks(page, "sh"))
