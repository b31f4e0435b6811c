"""`install.sh`: twice, with other answers, without any, and back."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.servers import missing
from tests.singlehost.installed import SCRIPT, Machine
from tests.upstream.gateway import vendors

CONFIG = "/etc/aiproxy/config.txt"
SITE = "/etc/nginx/conf.d/aiproxy.conf"
NOTE = '#!/usr/bin/env bash\necho "$*" >>"$(dirname "$0")/calls"\n'


def tree(root: Path) -> dict[str, tuple[int, bytes]]:
    """Every file below a folder with its mode and its text."""
    below = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]
    return {str(path): (path.stat().st_mode, path.read_bytes()) for path in below if path.suffix != ".pyc"}


@pytest.fixture
def systemctl(folder: Machine, tmp_path) -> Path:
    """A systemd that runs, as far as the script can see. The file of its calls."""
    folder.at("/run/systemd/system").mkdir(parents=True)
    program = tmp_path / "bin" / "systemctl"
    program.parent.mkdir()
    program.write_text(NOTE)
    program.chmod(0o755)
    return program.with_name("calls")


def path_with(calls: Path) -> dict[str, str]:
    """An environment in which the fake systemctl comes first."""
    return {"PATH": f"{calls.parent}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}


def test_twice_is_as_once(folder):
    assert f"{CONFIG} written" in folder.install()
    before = tree(folder.root)
    said = folder.install()
    assert "written" not in said
    assert tree(folder.root) == before


def test_the_second_time_remembers_the_answers(folder):
    folder.install("--max-call-seconds", "77", "--behind", "10.0.0.0/8")
    before = tree(folder.root)
    source = ["--source", folder.flags["source"]]  # which is not remembered
    folder.run("--yes", *source)
    assert tree(folder.root) == before
    folder.run("--yes", *source, MAX_CALL_SECONDS="88")
    assert "proxy_read_timeout 98s;" in folder.site
    assert "set_real_ip_from 10.0.0.0/8;" in folder.site
    folder.run("--yes", *source, "--behind", "none")
    assert "set_real_ip_from" not in folder.site


def test_settings_are_private_and_stay(folder):
    folder.install()
    config = folder.at(CONFIG)
    assert config.stat().st_mode & 0o777 == 0o600
    assert len(folder.key) >= 40
    config.write_text("AIPROXY_API_KEY=a-key-of-an-operator-0123456789\n")
    config.chmod(0o644)
    folder.install()
    assert folder.key == "a-key-of-an-operator-0123456789"
    assert config.stat().st_mode & 0o777 == 0o600
    assert folder.at("/var/lib/aiproxy").stat().st_mode & 0o777 == 0o700


def test_a_newer_program_replaces_the_older_one_whole(folder, tmp_path):
    folder.install()
    stale = folder.at("/opt/aiproxy/lib/of_an_older_version.py")
    stale.write_text("")
    assert "/opt/aiproxy written" in folder.install()
    assert not stale.exists()
    assert folder.at("/opt/aiproxy/.venv").exists()


def test_from_a_checkout(folder, tmp_path):
    shutil.which("git") or missing("git", "git")
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    subprocess.run(["tar", "-xzf", folder.flags["source"], "-C", str(checkout)], check=True)
    git = ["git", "-C", str(checkout / "aiproxy"), "-c", "user.name=x", "-c", "user.email=x@example.org"]
    for command in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "All"], ["tag", "v1"]):
        subprocess.run([*git, *command], check=True, capture_output=True)
    (checkout / "aiproxy" / "not-committed.py").write_text("")
    folder.flags["source"] = str(checkout / "aiproxy")
    folder.install()
    assert folder.at("/opt/aiproxy/gunicorn.conf.py").exists()
    assert not folder.at("/opt/aiproxy/not-committed.py").exists()
    folder.run("--uninstall", "--yes")
    folder.flags["source"] = f"file://{checkout}/aiproxy"
    folder.install("--ref", "v1")
    assert folder.at("/opt/aiproxy/.git").exists()


def test_what_is_no_program_is_refused(folder, tmp_path):
    other = tmp_path / "other.tar.gz"
    (tmp_path / "other").mkdir()
    shutil.make_archive(str(tmp_path / "other"), "gztar", tmp_path, "other")
    folder.flags["source"] = str(other)
    assert "does not hold the program" in folder.install_fails()
    assert not folder.at("/opt/aiproxy").exists()


def test_a_dry_run_changes_nothing_and_shows_all(folder):
    said = folder.run(
        *[word for name, value in folder.flags.items() for word in (f"--{name}", value)], "--dry-run", "--yes"
    )
    assert "ExecReload=" in said
    assert "proxy_buffering off;" in said
    assert "@" not in next(line for line in said.splitlines() if "proxy_pass" in line)
    assert not folder.root.exists()


def test_without_nginx(folder):
    folder.install()
    folder.install("--domain", "none")
    assert not folder.at(SITE).exists()
    assert "PORT=" in folder.unit


@pytest.mark.parametrize(
    "argv",
    [
        ["--nonsense"],
        ["--nonsense", "x"],
        ["word"],
        ["--domain"],
        ["--domain", "Not A Name"],
        ["--domain", "x.example.org;"],
        ["--max-call-seconds", "0"],
        ["--max-call-seconds", "soon"],
        ["--max-call-seconds", "86401"],
        ["--port", "65536"],
        ["--behind", "10.0.0.0/8; evil"],
        ["--listen", "here"],
        ["--certificate", "relative.pem"],
        ["--certificate", "/no/such/file.pem"],
        ["--purge"],
        ["--root", "relative"],
    ],
)
def test_wrong_arguments_change_nothing(folder, argv):
    given = [word for name, value in folder.flags.items() for word in (f"--{name}", value)]
    said = folder.run(*given, "--yes", *argv, status=2)
    assert said.startswith("install.sh: ")
    assert not folder.root.exists()


def test_without_anybody_to_answer_it_goes_no_further(folder):
    given = [word for name, value in folder.flags.items() for word in (f"--{name}", value)]
    assert "--yes" in folder.run(*given, status=2)
    assert "--domain" in folder.run("--yes", status=2)
    assert not folder.root.exists()


def test_it_explains_itself(folder):
    done = subprocess.run([SCRIPT, "--help"], capture_output=True, text=True, timeout=60, check=True)
    assert "--uninstall" in done.stdout
    assert all(f"--{name}" in done.stdout for name in folder.flags)


# ---- services ----


def test_services_are_told_and_the_way_through_nginx_is_tried(folder, systemctl, upstream):
    shutil.which("curl") or missing("curl", "curl")
    alone = Machine(folder.root.parent / "alone", folder.flags)
    alone.install()
    server, nginx = alone.server(**vendors(upstream), WEB_CONCURRENCY="1"), alone.nginx()
    environ = path_with(systemctl) | {"NGINX_CONF": str(nginx.conf)}
    try:
        server.start()
        nginx.start()
        assert "ready. The first key" in folder.install(**environ)
        first = systemctl.read_text().splitlines()
        systemctl.unlink()
        folder.install(**environ)
        again = systemctl.read_text().splitlines()
        folder.install("--max-call-seconds", "9", **environ)
        nginx.stop()
        assert "on this machine is not" in folder.install_fails(**environ)
    finally:
        nginx.stop()
        server.stop()
    told = ["daemon-reload", "--quiet enable aiproxy", "--quiet is-active aiproxy"]
    assert first == [*told, "restart aiproxy", "reload-or-restart nginx"]
    assert again == [*told, "reload-or-restart nginx"]
    assert "restart aiproxy" in systemctl.read_text()


def test_a_site_that_nginx_refuses_is_taken_back(folder, tmp_path):
    folder.install()
    good = folder.site
    nginx = folder.nginx()
    nginx.conf.write_text(nginx.conf.read_text().replace(str(nginx.conf.with_name("site.conf")), str(folder.at(SITE))))
    Path(folder.flags["certificate"]).write_text("no certificate\n")
    assert "nginx refuses the site" in folder.install_fails("--max-call-seconds", "9", NGINX_CONF=str(nginx.conf))
    assert folder.site == good


# ---- back ----


def test_uninstalling_keeps_settings_and_data(folder):
    folder.install()
    folder.at("/var/lib/aiproxy/aiproxy.db").write_text("x")
    key = folder.key
    folder.run("--uninstall", "--yes")
    assert not folder.at("/opt/aiproxy").exists()
    assert not folder.at(SITE).exists()
    assert not folder.at("/etc/systemd/system/aiproxy.service").exists()
    assert folder.key == key
    assert folder.at("/var/lib/aiproxy/aiproxy.db").exists()
    folder.run("--uninstall", "--yes")
    folder.run("--uninstall", "--purge", "--yes")
    assert not folder.at("/etc/aiproxy").exists()
    assert not folder.at("/var/lib/aiproxy").exists()


def test_uninstalling_asks(folder):
    folder.install()
    before = tree(folder.root)
    assert "--yes" in folder.run("--uninstall", status=2)
    assert "Would stop" in folder.run("--uninstall", "--dry-run")
    assert tree(folder.root) == before
