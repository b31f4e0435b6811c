"""The unit, as systemd's own tools judge it, and the arithmetic of the times in unit and site."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import pytest

from lib.base import load
from src.server import LAST_SECONDS
from tests.servers import missing
from tests.singlehost.installed import Machine

MOST_EXPOSED = 20  # of 100: "OK" or better in every systemd's scale


def analyze(*argv: str) -> str:
    """`systemd-analyze` with these arguments; fails when it does."""
    program = shutil.which("systemd-analyze") or missing("systemd-analyze", "systemd")
    done = subprocess.run([program, *argv], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_systemd_understands_every_line(machine: Machine, tmp_path):
    unit = tmp_path / "aiproxy.service"
    unit.write_text(machine.unit.replace("/opt/", f"{machine.root}/opt/"))  # whose programs are there
    said = analyze("verify", "--man=no", str(unit))
    assert [line for line in said.splitlines() if "aiproxy" in line] == []


def test_a_mistake_in_the_unit_is_noticed(machine: Machine, tmp_path):
    unit = tmp_path / "aiproxy.service"
    unit.write_text(machine.unit.replace("/opt/", f"{machine.root}/opt/").replace("KillMode=mixed", "KillMode=mixd"))
    assert "mixd" in analyze("verify", "--man=no", str(unit))


def test_the_service_may_do_little(machine: Machine, tmp_path):
    unit = tmp_path / "aiproxy.service"
    unit.write_text(machine.unit)
    said = analyze("security", "--offline=yes", f"--threshold={MOST_EXPOSED}", "--no-pager", str(unit))
    assert "Overall exposure level" in said


def values(unit: str) -> dict[str, str]:
    """The unit's lines, the environment's among them by their own names."""
    pairs = re.findall(r"^(?:Environment=)?(\w+)=(.*)$", unit, re.M)
    return dict(pairs)


@pytest.mark.parametrize("longest", [30, 300, 900, 86400])
def test_whoever_stands_further_out_waits_longer(folder: Machine, longest):
    folder.install("--max-call-seconds", str(longest))
    unit = values(folder.unit)
    settings = load({name: unit[name] for name in unit if name.isupper()}, os.devnull)
    times = dict(re.findall(r"^\s*(\w+_timeout) (\d+)s;", folder.site, re.M))
    outer = [int(times[name]) for name in ("proxy_read_timeout", "proxy_send_timeout", "send_timeout")]
    assert settings.request_timeout_seconds == longest
    assert min(outer) > longest  # a silence of a minute, or of any length that a call may have, is none of nginx's
    assert int(times["client_body_timeout"]) > longest
    assert settings.graceful_timeout_seconds > longest
    assert int(unit["TimeoutStopSec"]) > settings.drain_seconds + settings.graceful_timeout_seconds + LAST_SECONDS
    assert settings.ping_seconds < min(outer)
    assert f"client_max_body_size {settings.max_body_bytes};" in folder.site


def test_what_nginx_relies_on_cannot_be_changed_elsewhere(machine: Machine):
    fixed = {"HOST": "127.0.0.1", "TRUSTED_PROXIES": "127.0.0.1", "PORT": machine.flags["port"]}
    assert fixed.items() <= values(machine.unit).items()


def test_a_reload_is_a_hang_up(machine: Machine):
    unit = values(machine.unit)
    assert unit["ExecReload"].split()[1:] == ["-s", "HUP", "$MAINPID"]
    assert unit["KillMode"] == "mixed"  # SIGTERM reaches the master alone, which tells its workers
