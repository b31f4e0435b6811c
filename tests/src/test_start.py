"""Starting: open on this machine alone, a key for the run elsewhere, a clear refusal where a key must be set."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable

import pytest

from tests.src.wire import ask, send
from tests.upstream import Gateway
from tests.upstream.gateway import KEY

Prepared = Callable[..., Gateway]
HELLO = {"model": "echo", "messages": [{"role": "user", "content": "Hello"}]}


def curl_line(server: Gateway) -> list[str]:
    """The words of the printed call, as a shell reads them."""
    (line,) = [line for line in server.output().splitlines() if line.strip().startswith("curl ")]
    return shlex.split(line)


def pasted(server: Gateway, **variables: str) -> str:
    """What the printed call gets when it is pasted, with the shell's variables filled in; its text."""
    words = curl_line(server)
    url = words[1]
    assert url.startswith(server.url)
    headers = dict(words[at + 1].split(": ", 1) for at, word in enumerate(words) if word == "-H")
    for name, value in variables.items():
        headers = {key: text.replace(f"${name}", value) for key, text in headers.items()}
    body = words[words.index("-d") + 1].encode()
    request = (
        f"POST {url.removeprefix(server.url)} HTTP/1.1\r\nHost: {server.url[7:]}\r\nContent-Length: {len(body)}\r\n"
    )
    answer = send(server, (request + "".join(f"{k}: {v}\r\n" for k, v in headers.items()) + "\r\n").encode() + body)
    assert answer.status == 200
    text: str = answer.json["choices"][0]["message"]["content"]
    return text


def test_without_a_key_on_loopback_it_is_open_and_says_so(prepared: Prepared) -> None:
    server = prepared(AIPROXY_API_KEY="")
    server.start()
    assert pasted(server) == "Hello"
    assert "OPEN" in server.output()
    assert "aip-run-" not in server.output()
    strange = ask(server, "POST", "/v1/chat/completions", headers={"Host": "rebound.example"}, json=HELLO)
    assert strange.status == 401
    assert "localhost" in strange.json["error"]["message"]


def test_without_a_key_on_every_address_one_is_made_and_printed(prepared: Prepared) -> None:
    server = prepared(AIPROXY_API_KEY="", HOST="0.0.0.0")
    server.start()
    assert ask(server, "POST", "/v1/chat/completions", json=HELLO).status == 401
    assert pasted(server) == "Hello"
    keys = set(re.findall(r"aip-run-[\w-]+", server.output()))
    assert [len(key) > 30 for key in keys] == [True]
    assert ask(server, "GET", "/v1/models", headers={"x-api-key": keys.pop()}).status == 200


def test_every_run_has_a_key_of_its_own(prepared: Prepared) -> None:
    servers = [prepared(AIPROXY_API_KEY="", HOST="0.0.0.0", WEB_CONCURRENCY="2") for _ in range(2)]
    for server in servers:
        server.start()
    first, second = (re.search(r"aip-run-[\w-]+", server.output()) for server in servers)
    assert first
    assert second
    assert first[0] != second[0]
    answers = [
        ask(servers[0], "GET", "/v1/models", headers={"x-api-key": key[0]}).status for key in (first, second)
    ] * 3
    assert answers == [200, 401] * 3


def test_with_a_key_it_is_not_printed(prepared: Prepared) -> None:
    server = prepared()
    server.start()
    assert pasted(server, AIPROXY_API_KEY=KEY) == "Hello"
    assert KEY not in server.output()


@pytest.mark.parametrize(("settings", "named"), [
    ({"ENVIRONMENT_TYPE": "test", "AIPROXY_API_KEY": ""}, "AIPROXY_API_KEY"),
    ({"ENVIRONMENT_TYPE": "production", "AIPROXY_API_KEY": ""}, "AIPROXY_API_KEY"),
    ({"ENVIRONMENT_TYPE": "production", "AIPROXY_API_KEY": " , ,"}, "AIPROXY_API_KEY"),
    ({"ENVIRONMENT_TYPE": "production", "AIPROXY_API_KEY": "zqSHORTqz"}, "AIPROXY_API_KEY"),
    ({"ENVIRONMENT_TYPE": "zqSTAGEqz"}, "ENVIRONMENT_TYPE"),
    ({"PORT": "zqHTTPqz"}, "PORT"),
    ({"ALLOWED_ORIGINS": "*"}, "ALLOWED_ORIGINS"),
    ({"MODELS_FILE": "/nonexistent/models.toml"}, "/nonexistent/models.toml"),
    ({"OPENAI_API_KEY": "sk-zqVENDORqz-0123456789", "OPENAI_BASE_URL": "ftp://zqHOSTqz"}, "openai"),
])  # fmt: skip
def test_it_refuses_to_start_and_names_the_setting(prepared: Prepared, settings: dict[str, str], named: str) -> None:
    server = prepared(**settings)
    server.launch()
    assert server.wait() == 2
    assert named in server.output()
    assert "Traceback" not in server.output()
    assert not re.search(r"zq[A-Z]+qz", server.output())


@pytest.mark.parametrize("kind", ["test", "production"])
def test_with_a_key_the_other_environments_start(prepared: Prepared, kind: str) -> None:
    server = prepared(ENVIRONMENT_TYPE=kind)
    server.start()
    assert ask(server, "GET", "/v1/models").status == 401
    assert ask(server, "GET", "/v1/models", headers={"Authorization": KEY}).status == 200
