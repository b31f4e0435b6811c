"""`bin/live-client` on a terminal and in a pipe, against a running server."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from collections.abc import Iterator

import pytest

from tests.house.tree import ROOT
from tests.lib.cli.terminal import Terminal
from tests.upstream import Gateway, Gateways, Ports, Upstream

SCRIPT = str(ROOT / "bin/live-client")
MODELS = """
[providers.openai]
shapes = ["*"]
[models.house-model]
targets = ["openai/gpt-4o"]
"""
COUNT = r"\d+ tokens in, \d+ out, [\d.]+ USD \((exact|estimated)\)"


@pytest.fixture(scope="module")
def vendor() -> Iterator[Upstream]:
    with Upstream() as running:
        yield running


@pytest.fixture(scope="module")
def server(vendor, tmp_path_factory) -> Iterator[Gateway]:
    gateways = Gateways(tmp_path_factory.mktemp("client"))
    yield gateways(vendor, models=MODELS)
    gateways.stop()


@pytest.fixture(scope="module")
def alone(tmp_path_factory) -> Iterator[Gateway]:
    """A server without any vendor: agents may ask the echo there."""
    gateways = Gateways(tmp_path_factory.mktemp("alone"))
    yield gateways()
    gateways.stop()


def environment(home, server: Gateway | None, **more: str) -> dict[str, str]:
    """With the server's key, if any."""
    key = {"LOCAL_API_KEY": server.key} if server else {}
    return {"PATH": os.environ["PATH"], "HOME": str(home), "TERM": "xterm", "COLUMNS": "100", **key, **more}


def piped(home, server: Gateway, typed: str, *argv: str, status: int = 0, **more: str) -> tuple[str, str]:
    """Standard output and standard error, for these lines of input."""
    done = subprocess.run(
        [SCRIPT, "--url", server.url, *argv],
        input=typed,
        cwd=home,
        env=environment(home, server, **more),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout, done.stderr


@pytest.fixture
def terminal(server, tmp_path):
    """Starts the client on a terminal."""
    started = []

    def start(*argv: str, key: bool = True) -> Terminal:
        command = [SCRIPT, "--url", server.url, *argv]
        started.append(Terminal(command, tmp_path, environment(tmp_path, server if key else None)))
        return started[-1]

    yield start
    for each in started:
        each.__exit__()


# ---- in a pipe ----


@pytest.mark.parametrize("family", ["chat", "messages", "agents"])
def test_a_pipe_gets_answers_alone(alone, tmp_path, family):
    out, err = piped(tmp_path, alone, "Hello there\n\nAnd again\n", "--model", "echo", "--family", family)
    assert out == "Hello there\nAnd again\n"
    assert err.count(" USD (exact)") == 2
    assert "tokens in" in err


def test_a_program_is_graded(server, tmp_path):
    program = ROOT / "examples/datasets/samples/csd3-2023-L11/student_06.js"
    out, err = piped(tmp_path, server, f"{program}\nno/such/file.js\n", "--family", "assessment", status=1)
    assert out.count(" Evidence\n") >= 2
    assert "no/such/file.js: No such file or directory" in err
    assert " USD (" in err


def test_the_conversation_goes_along(server, vendor, tmp_path):
    before = len(vendor.calls)
    lines = "/system Be brief.\nOne\nTwo\n/clear\nThree\n"
    piped(tmp_path, server, lines, "--model", "openai/m", "--family", "chat")
    asked = [[message["content"] for message in call.json["messages"]] for call in vendor.calls[before:]]
    assert asked[0] == ["Be brief.", "One"]
    assert asked[1][:2] == ["Be brief.", "One"]
    assert asked[1][3:] == ["Two"]
    assert asked[2] == ["Be brief.", "Three"]


def test_a_failure_is_one_line_and_no_part_of_the_conversation(server, tmp_path):
    saved = tmp_path / "talk.json"
    lines = f"Hello\n/model echo/error=429,retry_after=30\nAgain\n/model no/such\nOnce more\n/save {saved}\n"
    out, err = piped(tmp_path, server, lines, "--model", "echo", status=1)
    assert out == "Hello\n"
    faults = [line for line in err.splitlines() if line.startswith(("429: ", "404: "))]
    assert len(faults) == 2
    assert [turn["content"] for turn in json.loads(saved.read_text())["messages"]] == ["Hello", "Hello"]
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600


@pytest.mark.parametrize("behaviour", ["error-after-1", "cut-chunk"])
def test_a_stream_that_breaks_off_is_said_to(server, vendor, tmp_path, behaviour):
    vendor.plan(behaviour)
    _, err = piped(tmp_path, server, "Hello\n", "--model", "openai/m", "--family", "chat", status=1)
    assert "Traceback" not in err
    assert len([line for line in err.splitlines() if line]) == 2  # where we are, and what went wrong


def test_wrong_commands_are_told(server, tmp_path):
    _, err = piped(tmp_path, server, "/nonsense\n/save\n/rubric no-such-file\n/help\n/quit\nHello\n", status=1)
    assert "no such command: /nonsense" in err
    assert "/save needs" in err
    assert "/rubric needs" in err
    assert "Ctrl-D" in err


def test_what_a_terminal_would_obey_is_left_out(server, tmp_path):
    out, _ = piped(tmp_path, server, "a\x1b]0;owned\x07b\n", "--model", "echo")
    assert out == "a]0;ownedb\n"


def test_without_a_key_or_a_server(server, tmp_path):
    _, err = piped(tmp_path, server, "", status=2, LOCAL_API_KEY="wrong-key-0123456789")
    assert "refuses the key" in err
    ports = Ports()
    _, err = piped(tmp_path, server, "", "--url", ports.refusing(), status=3)
    ports.close()
    assert "nobody answers" in err
    piped(tmp_path, server, "", "--family", "nonsense", status=2)


# ---- on a terminal ----


def test_from_the_menus_to_the_end(terminal):
    client = terminal()
    client.expect(r"1 +chat *\n")
    client.expect(r"family \(1\): ")
    client.type("messages\n")
    client.expect(r"model \(1\): ")
    client.type("99\n")
    client.expect("a number from 1")
    client.type("1\n")
    client.expect(r"messages, echo; /help")
    client.expect("^> ")
    client.type("Hello there\n")
    client.expect("^Hello there\n")
    client.expect(COUNT)
    client.type("/help\n")
    client.expect("/clear +forget the conversation")
    client.type("/model\n")
    client.expect(r"model \(1\): ")
    client.type("echo\n")
    client.expect("model: echo")
    client.expect("^> ")  # before it the terminal takes Ctrl-D for itself
    client.type("\x04")
    assert client.ended() == 0


def test_control_c_ends_an_answer_and_not_the_program(terminal, vendor):
    client = terminal("--family", "chat", "--model", "openai/m")
    client.expect("^> ")
    before = len(vendor.calls)
    vendor.plan("stream-1000-0.05")
    client.type("Hello\n")
    vendor.wait(lambda _: len(vendor.calls) > before and len(vendor.calls[-1].events) > 5)
    client.type("\x03")
    client.expect("stopped")
    vendor.wait(lambda _: vendor.calls[-1].cancelled)
    client.expect("^> ")
    client.insist("\x03", "^> ")  # at the prompt it begins a new line
    client.type("/quit\n")
    assert client.ended() == 0


def test_a_key_that_is_not_known_is_asked_for_and_kept(terminal, server, tmp_path):
    client = terminal("--family", "chat", "--model", "echo", key=False)
    client.expect(r"key for http://[\d.:]+: ")
    client.type(f"{server.key}\n")
    client.expect("keep it for the next time")
    client.type("y\n")
    client.expect("kept: ")
    client.expect("^> ")
    client.type("/quit\n")
    assert client.ended() == 0
    assert server.key not in client.text
    kept = tmp_path / ".cache/aiproxy/local.key"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    again = terminal("--family", "chat", "--model", "echo", key=False)
    again.expect("chat, echo; /help")
