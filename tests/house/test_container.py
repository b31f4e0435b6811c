"""The Dockerfile and docker-compose.yml agree with the tree and with the settings."""

import re
import tomllib

import yaml

from lib.base import setting_names
from tests.house.tree import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
DECIDED_BY_THE_IMAGE = {"HOST", "PORT", "METRICS_PORT", "MODELS_FILE"}


def vendor_settings() -> set[str]:
    """The key and base URL settings of the vendors in models.toml."""
    rows = tomllib.loads((ROOT / "models.toml").read_text())["providers"]
    named = {
        name: row.get("key", f"{name.upper()}_API_KEY") for name, row in rows.items() if row.get("kind") != "bedrock"
    }
    addresses = {rows[name].get("address", f"{name.upper()}_BASE_URL") for name in named}
    return {key for key in named.values() if key} | addresses


def test_compose_passes_every_setting_on():
    passed = set(COMPOSE["services"]["app"]["environment"])
    wanted = (set(setting_names()) | vendor_settings()) - DECIDED_BY_THE_IMAGE
    assert wanted - passed == set(), "add these to docker-compose.yml"
    assert {name for name in passed - wanted if not name.startswith("AWS_")} == set(), "no such settings"


def test_compose_holds_no_secret_for_the_app():
    assert [entry for entry in COMPOSE["services"]["app"]["environment"] if "=" in entry] == []


def test_compose_starts_the_app_alone_unless_asked():
    beside = {name: service.get("profiles") for name, service in COMPOSE["services"].items() if name != "app"}
    assert set(beside) == {"migrate", "postgres", "valkey"}
    assert all(profiles == ["scale"] for profiles in beside.values())
    assert all("healthcheck" in COMPOSE["services"][name] for name in ("postgres", "valkey"))


def test_compose_listens_on_loopback_only():
    ports = [port for service in COMPOSE["services"].values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_what_the_image_copies_exists():
    copies = re.findall(r"^COPY (?!--from)(?:--\S+ )*(.+) \S+$", DOCKERFILE, re.M)
    sources = {source for copy in copies for source in copy.split()}
    assert {"lib", "src", "requirements.txt"} <= sources
    assert [source for source in sources if not (ROOT / source).exists()] == []


def test_the_default_image_is_the_server_without_root():
    *_, server, _test, last = re.split(r"^FROM ", DOCKERFILE, flags=re.M)
    assert last == "server\n"
    assert server.splitlines()[0].endswith(" AS server")
    assert re.search(r"^USER (?!root|0)\S+$", server, re.M)
    assert re.search(r"^HEALTHCHECK .*CMD \[", server, re.M)
    assert re.search(r"^CMD \[", server, re.M)


def test_private_files_stay_out_of_the_build():
    first, *rest = [
        line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")
    ]
    assert first == "*"
    assert [line for line in rest if line.strip("!/") in {"config.txt", "*.txt", ".git", ".venv", "var", ".env"}] == []
