"""Just enough of curl to run the documents' examples where there is none: -d, -F, -H, -i, -N, -o, -X."""

from __future__ import annotations

import http.client
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

BOUNDARY = "boundary-of-an-example"
SWITCHES = {"-i", "-N"}
TIMEOUT = 30  # seconds


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    content_type: str
    body: bytes


def commands(script: str) -> list[list[str]]:
    """The words of each command of a script: comments dropped, continued lines joined."""
    lines = (shlex.split(line, comments=True) for line in script.replace("\\\n", " ").splitlines())
    return [words for words in lines if words]


def variables(word: str, values: Mapping[str, str]) -> str:
    """A word with `$NAME` replaced. Raises `KeyError` for a name without a value."""
    return re.sub(r"\$([A-Z_]+)", lambda found: values[found[1]], word)


def run(command: list[str], directory: Path) -> Answer:
    """Carry out one curl command. `-o` writes below `directory`, `-F name=@file` reads from there."""
    program, *words = command
    assert program == "curl"
    urls, options = _taken_apart(words)
    [url] = urls
    headers = dict(line.split(": ", 1) for flag, line in options if flag == "-H")
    body = _body(options, headers, directory)
    method = dict(options).get("-X", "GET" if body is None else "POST")
    answer = _ask(method, url, headers, body)
    for name in (value for flag, value in options if flag == "-o"):
        (directory / name).write_bytes(answer.body)
    return answer


def _taken_apart(words: list[str]) -> tuple[list[str], list[tuple[str, str]]]:
    urls, options = [], []
    waiting = iter(words)
    for word in waiting:
        if word in SWITCHES:
            continue
        if word.startswith("-"):
            assert word in ("-d", "-F", "-H", "-o", "-X"), f"{word} is not known here"
            options.append((word, next(waiting)))
        else:
            urls.append(word)
    return urls, options


def _body(options: list[tuple[str, str]], headers: dict[str, str], directory: Path) -> bytes | None:
    fields = [value.split("=", 1) for flag, value in options if flag == "-F"]
    if fields:
        headers["Content-Type"] = f"multipart/form-data; boundary={BOUNDARY}"
        parts = b"".join(_part(name, value, directory) for name, value in fields)
        return parts + f"--{BOUNDARY}--\r\n".encode()
    data = [value for flag, value in options if flag == "-d"]
    return data[0].encode() if data else None


def _part(name: str, value: str, directory: Path) -> bytes:
    file = value.startswith("@")
    more = f'; filename="{value[1:]}"\r\nContent-Type: application/octet-stream' if file else ""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'
    return head.encode() + ((directory / value[1:]).read_bytes() if file else value.encode()) + b"\r\n"


def _ask(method: str, url: str, headers: dict[str, str], body: bytes | None) -> Answer:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT)
    try:
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request(method, target, body, headers)
        response = connection.getresponse()
        return Answer(response.status, response.headers.get("Content-Type", ""), response.read())
    finally:
        connection.close()
