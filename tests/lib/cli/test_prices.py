"""`bin/prices`: what it shows, where its prices come from, and how it ends."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from lib.base import setting_names
from lib.cli import prices

MODELS = """
[providers.openai]
base_url = "https://api.openai.com/v1"
prefixes = ["gpt-"]
[providers.anthropic]
kind = "anthropic"
base_url = "https://api.anthropic.com"
[providers.openrouter]
base_url = "https://openrouter.ai/api/v1"
[providers.local]
base_url = "http://localhost/v1"
key = ""
[models.smart]
targets = ["local/a", { model = "openai/gpt-4o", weight = 3 }]
fallbacks = ["local/b", "local/a"]
[prices."local/a"]
input = 1e-7
output = 0.10
second = 0.0001
call = 3
reserve_output = 2500
[prices."local/given"]
free = true
"""


@dataclass
class Shown:
    """How it ended, and what it wrote."""

    status: int
    out: str
    err: str


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """`run("gpt-4o", models="...")` with nothing set, and no network."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("a socket was connected"))
    for name in setting_names():
        monkeypatch.delenv(name, raising=False)

    def run(*argv: str, models: str = MODELS) -> Shown:
        (tmp_path / "models.toml").write_text(models)
        return Shown(prices.main(argv), *capsys.readouterr())

    return run


def test_a_model_of_a_list(run):
    shown = run("gpt-4o")
    assert shown.status == 0
    assert shown.out == (
        "gpt-4o\n"
        "  openai/gpt-4o: from genai-prices, prompts up to 128,000 tokens\n"
        "    USD per million tokens  input  output  cache read  cache write  cache write 1h\n"
        "                              2.5      10        1.25          2.5             2.5\n"
        "    0.01 for each web search that the vendor's usage names\n"
    )


def test_a_name_of_the_operators_own_shows_every_place_once(run):
    shown = run("smart")
    assert shown.status == 1
    places = [line.strip() for line in shown.out.splitlines() if line.startswith("  ") and line[2] != " "]
    assert places == [
        "openai/gpt-4o: from genai-prices, prompts up to 128,000 tokens",
        "local/a: from models.toml",
        'local/b: no price is known; a row [prices."local/b"] in models.toml sets one',
    ]


def test_amounts_are_plain_numbers(run):
    lines = [line.strip() for line in run("local/a").out.splitlines()]
    assert lines[2] == "an answer is assumed to have 2,500 tokens"
    assert lines[4].split() == ["0.0000001", "0.1", "0.0000001", "0.0000001", "0.0000001"]
    assert lines[5:] == ["3 for each call", "0.0001 for each second that a call takes"]


def test_tiers_are_lines(run):
    assert any(
        line.split()[:4] == ["prompts", "above", "200,000", "6"]
        for line in run("anthropic/claude-sonnet-4-5").out.splitlines()
    )


@pytest.mark.parametrize(("name", "place"), [("echo", "echo"), ("echo/chunks=3", "echo/chunks=3")])
def test_the_echo_is_free(run, name, place):
    assert run(name) == Shown(0, f"{name}\n  {place}: free\n", "")


def test_what_is_free_by_a_row(run):
    assert run("local/given").out == "local/given\n  local/given: free\n"


@pytest.mark.parametrize("name", ["nothing-like-it", "", "a\x00b", "x" * 1000])
def test_a_name_that_leads_nowhere_is_unknown(run, name):
    shown = run(name)
    assert shown.status == 1
    assert ": unknown: " in shown.out


def test_several_names_one_of_them_unknown(run):
    shown = run("gpt-4o", "nope", "echo")
    assert (shown.status, shown.out.count("\n\n")) == (1, 2)


def test_json(run):
    shown = run("--json", "smart", "nope", "openrouter/openai/gpt-4o")
    smart, nope, routed = json.loads(shown.out)
    assert shown.status == 1
    assert [place["source"] for place in smart["places"]] == ["genai-prices", "models.toml", None]
    first, second, _ = smart["places"]
    assert (first["provider"], first["model"], first["context_window"]) == ("openai", "gpt-4o", 128_000)
    assert first["per_million_tokens"]["cache_read"] == "1.25"
    assert (first["tiers"], first["per_search"], first["free"]) == ([], "0.01", False)
    assert (second["per_call"], second["per_second"], second["reserve_output"]) == ("3", "0.0001", 2500)
    assert nope == {"model": "nope", "error": "no provider for 'nope'"}
    assert routed["places"][0]["model"] == "openai/gpt-4o"


def test_json_of_units_that_are_no_tokens(run):
    whisper, speech = json.loads(run("--json", "openai/whisper-1", "openai/tts-1").out)
    assert whisper["places"][0]["per_audio_second"] == "0.0001"
    assert speech["places"][0]["per_million_characters"] == "15"
    assert "per million tokens" not in run("openai/tts-1").out


@pytest.mark.parametrize("argv", [(), ("--nope",), ("--json",)])
def test_wrong_arguments_are_usage(run, argv):
    with pytest.raises(SystemExit) as ended:
        run(*argv)
    assert ended.value.code == 2


def test_a_bad_models_file_is_named(run):
    shown = run("gpt-4o", models="[prices.'nowhere/x']\ncall = -1")
    assert (shown.status, shown.out) == (1, "")
    assert [line.partition(": ")[0] for line in shown.err.splitlines()] == ["wrong", "wrong"]
    assert "call must be a number of USD" in shown.err
