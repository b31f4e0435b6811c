"""Make the documents that follow from the settings table: config.txt.sample and the README's table.

`python -m lib.cli.documents` writes what is out of date; with `--check` it writes nothing, and its exit
status is 1 when something is out of date.
"""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from lib.base import Settings
from lib.cli.ending import leave

ROOT = Path(__file__).resolve().parents[2]
WIDTH = 100  # characters of a line in config.txt.sample
BEGIN = "<!-- settings: made by `python -m lib.cli.documents` -->"
END = "<!-- end of settings -->"

_HEAD = """\
# Settings of the gateway. Copy this file to config.txt and take the `#` off the lines that you change.
# The environment goes before config.txt, config.txt before Secrets Manager (see DNS_RECORD), and that before the
# defaults, which are shown here.
# An empty value counts as unset. `bin/run.sh --check` shows what holds. Made by `python -m lib.cli.documents`.
"""
FIRST = frozenset(
    {
        "ENVIRONMENT_TYPE",
        "HOST",
        "PORT",
        "WEB_CONCURRENCY",
        "LOG_LEVEL",
        "METRICS_PORT",
        "DATABASE_URL",
        "REDIS_URL",
        "MODELS_FILE",
        "ACCESS_FILE",
        "AIPROXY_API_KEY",
        "PROXY_API_KEY",
        "MAX_COST_PER_RUN",
        "TRUSTED_PROXIES",
        "REQUEST_TIMEOUT_SECONDS",
        "ALLOWED_ORIGINS",
        "OPENAI_API_KEY",
        "ANTHROPIC_API_KEY",
        "CHUTES_API_KEY",
        "AWS_REGION",
        "HONEYBADGER_API_KEY",
    }
)
_TAIL = """
# Every other provider of models.toml takes its key from <NAME>_API_KEY (or the setting that its row
# names), and its address, when that is not the one in models.toml, from <NAME>_BASE_URL.
# GROQ_API_KEY=
"""


def main(argv: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Write or check the documents below `root`; the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m lib.cli.documents",
        description="Make config.txt.sample and the README's table from the settings table.",
    )
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file is out of date")
    check_only = parser.parse_args(argv).check
    stale = [path for path, text in documents(root) if not path.exists() or path.read_text() != text]
    for path, text in documents(root):
        if path not in stale:
            continue
        if check_only:
            print(f"{path.name} is out of date: run python -m lib.cli.documents", file=sys.stderr)
        else:
            path.write_text(text)
            print(f"{path.name} written")
    return 1 if stale and check_only else 0


def documents(root: Path) -> Iterator[tuple[Path, str]]:
    """Each generated file with the text it should have. Raises `ValueError` for a README without its markers."""
    yield root / "config.txt.sample", sample()
    readme = root / "README.md"
    yield readme, with_table(readme.read_text())


def sample() -> str:
    """The text of config.txt.sample."""
    entries = [
        "\n".join([*textwrap.wrap(field.description or "", WIDTH, initial_indent="# ", subsequent_indent="# "), line])
        for name, field in _fields()
        for line in [f"# {name}={default(field)}"]
    ]
    return "\n".join([_HEAD, "\n\n".join(entries), _TAIL])


def table() -> str:
    """The README's table: the settings that a first deployment decides, one row each."""
    rows = ["| name | default | meaning |", "|---|---|---|"]
    for name, field in _fields():
        if name not in FIRST:
            continue
        meaning = (field.description or "").replace("|", "\\|")
        value = default(field)
        rows.append(f"| {name} | {f'`{value}`' if value else ''} | {meaning} |")
    return "\n".join(rows)


def with_table(text: str) -> str:
    """A document with the table of today between its markers. Raises `ValueError` when it has none."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the README needs its markers: {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def default(field: FieldInfo) -> str:
    """A setting's default as it would be written in config.txt; empty when there is none or the machine decides."""
    value = field.default
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if field.default_factory is not None or value is None or value == ():
        return ""
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


def _fields() -> Iterator[tuple[str, FieldInfo]]:
    for name, field in Settings.model_fields.items():
        if not field.exclude:
            yield name.upper(), field


if __name__ == "__main__":
    leave(main)
