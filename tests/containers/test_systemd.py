"""`cicd/single-host` on a machine with systemd as process 1, as an administrator would use it.

One machine for the whole file.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from tests.containers.conftest import Measured
from tests.containers.docker import Containers, docker, until
from tests.containers.machine import CHECKOUT, CONFIG, MOST, SCRIPT, Machine, image
from tests.containers.streams import cut
from tests.drills.client import Said
from tests.singlehost.door import Door

SHORT, LONG = 5, 9  # seconds of a stream. Debian's nginx, told to stop, waits five
MOST_EXPOSED = 2.0  # of 10
PROBE = "/usr/local/lib/probe.py"
PACK = f"""
cd {CHECKOUT}
mkdir -p /srv/packed
git archive --prefix aiproxy/ HEAD | tar -x -C /srv/packed
tar -czf /srv/aiproxy.tar.gz --owner 1000 --group 1000 --mode ug+w -C /srv/packed aiproxy
"""
UNIT = "/etc/systemd/system/aiproxy.service"
AS_AIPROXY = ("runuser", "-u", "aiproxy", "--")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, measured: Measured) -> Iterator[Machine]:
    """A machine on which the script has run once."""
    containers = Containers(f"aiproxy-test-{uuid.uuid4().hex[:8]}")
    try:
        made = Machine(image(), containers, tmp_path_factory.mktemp("machine"))
        begin = time.monotonic()
        made.install_first()
        measured(f"installed on one machine in {time.monotonic() - begin:.0f} s")
        yield made
    finally:
        containers.remove()


@pytest.fixture
def machine(installed: Machine) -> Iterator[Machine]:
    """It, with the program ready. A failed test shows the journal."""
    if installed.attempt("test", "-e", UNIT).returncode:
        installed.install_first()
    installed.run("systemctl", "start", "aiproxy")
    installed.wait_ready()
    yield installed
    print(installed.journal("--lines", "60", "--output", "cat"))


# ---- what is there ----


def test_it_runs_and_will_run_after_a_start(machine, measured: Measured):
    assert [machine.show(name) for name in ("ActiveState", "SubState", "UnitFileState")] == [
        "active",
        "running",
        "enabled",
    ]
    assert machine.run("/opt/aiproxy/.venv/bin/python", "-V").startswith("Python 3.11.")
    said = machine.attempt("systemd-analyze", "verify", "--man=no", UNIT)
    assert (said.returncode, said.stdout + said.stderr) == (0, "")


def test_secrets_are_for_the_program_alone(machine):
    stat = ("stat", "--format", "%a %U:%G", "/etc/aiproxy", CONFIG, "/var/lib/aiproxy", "/var/lib/aiproxy/aiproxy.db")
    assert machine.run(*stat).splitlines() == [
        "750 root:aiproxy",
        "600 aiproxy:aiproxy",
        "700 aiproxy:aiproxy",
        "600 aiproxy:aiproxy",
    ]
    refused = machine.attempt("runuser", "-u", "www-data", "--", "cat", CONFIG)
    assert "Permission denied" in refused.stderr
    assert machine.key not in machine.run("journalctl", "--no-pager")
    assert machine.key not in machine.run("cat", "/var/log/nginx/aiproxy.access.log", UNIT)


def test_a_key_is_made_as_the_readme_says(machine):
    made = machine.run(*AS_AIPROXY, "/opt/aiproxy/bin/keys", "create", "web-shop", "--budget", "50/month", "--json")
    assert machine.ask(json.loads(made)["key"]).status == 200


# ---- how little it may do ----


def test_its_exposure_is_small(machine, measured: Measured):
    said = machine.run("systemd-analyze", "security", "--no-pager", "aiproxy")
    found = re.search(r"Overall exposure level for aiproxy.service: ([\d.]+)", said)
    assert found, said
    measured(f"systemd-analyze security: {found[1]} of 10")
    assert float(found[1]) <= MOST_EXPOSED


@pytest.fixture
def probe(machine: Machine) -> Machine:
    """The machine, with the probe and a unit for it that differs from the real one in what it starts."""
    docker("cp", str(Path(__file__).with_name("probe.py")), f"{machine.container.name}:{PROBE}")
    machine.sh(
        f"sed -e 's|^ExecStart=.*|ExecStart=/usr/bin/python3 {PROBE}|' -e 's/^Type=.*/Type=oneshot/'"
        f" -e '/^Restart/d' -e '/^ExecReload/d' {UNIT} >/run/systemd/system/probe.service; systemctl daemon-reload"
    )
    return machine


def test_it_may_write_its_state_and_little_else(probe: Machine):
    probe.run("systemctl", "start", "probe")
    done = json.loads(probe.run("journalctl", "--unit", "probe", "--output", "cat", "--grep", "^{", "--lines", "1"))
    may = {name for name, how in done.items() if how == "ok"}
    assert may == {"write /var/lib/aiproxy", "write /tmp", "write /dev/shm", "internet"}
    assert {name: how for name, how in done.items() if how == "EROFS"}.keys() == {
        *(f"write {folder}" for folder in ("/", "/etc/aiproxy", "/opt/aiproxy", "/usr/local", "/var/lib", "/var/log")),
        "write a control group",
    }
    assert done["strangers"] == 0
    assert {"kmsg", "mem", "sda"}.isdisjoint(done["devices"])
    assert done["status"] == {"CapBnd": "", "CapEff": "", "NoNewPrivs": "1", "Seccomp": "2"}


def test_the_same_user_may_do_more_outside(probe: Machine):
    done = json.loads(probe.run(*AS_AIPROXY, "/usr/bin/python3", PROBE))
    may = {name for name, how in done.items() if how == "ok"}
    assert {"netlink", "setuid program", "memory to write and execute"} <= may
    assert done["strangers"] > 0
    assert done["status"]["NoNewPrivs"] == ""


def test_every_process_of_it_is_so_confined(machine):
    master = machine.show("MainPID")
    processes = [master, *machine.run("pgrep", "--parent", master).split()]
    fields = "/^(Uid|CapBnd|NoNewPrivs|Seccomp):/ {print $2}"
    told = {machine.run("awk", fields, f"/proc/{each}/status") for each in processes}
    assert len(processes) >= 2
    assert told == {"\n".join([machine.run("id", "-u", "aiproxy"), "0000000000000000", "1", "2"])}


def test_the_kernel_knows_its_limits(machine):
    cgroup = "/sys/fs/cgroup/{memory,pids,.}/system.slice/aiproxy.service"
    read = f"cat {cgroup}/{{memory.limit_in_bytes,memory.max,pids.max}} 2>/dev/null || true"
    memory, tasks = (int(number) for number in machine.run("bash", "-c", read).split())
    total = int(machine.run("awk", "/^MemTotal/ {print $2}", "/proc/meminfo"))
    assert 0 < memory < total * 1024
    assert tasks == 4096


# ---- the way through nginx ----


def test_a_stream_comes_as_it_is_made(machine):
    with closing(Door(machine, key=machine.key)) as door:
        door.ask("echo/chunks=20,gap=0.1", stream=True)
        blocks = list(door.blocks())
    assert len(blocks) >= 20
    assert blocks[-1].endswith(b"data: [DONE]\n\n")


def test_the_caller_has_the_address_that_nginx_sees(machine):
    made = machine.run(
        *AS_AIPROXY, "/opt/aiproxy/bin/keys", "create", "from-us", "--allow-ip", machine.address, "--json"
    )
    key = json.loads(made)["key"]
    assert machine.ask(key).status == 200
    local = ("curl", "--silent", "--insecure", "--output", "/dev/null", "--write-out", "%{http_code}")
    local += ("--connect-to", "::127.0.0.1:443", "--header", f"Authorization: Bearer {key}")
    local += ("--header", f"X-Forwarded-For: {machine.address}", "https://ai.example.test/v1/models")
    assert machine.run(*local) == "401"


def test_nothing_else_of_it_can_be_reached(machine):
    """What listens elsewhere than on loopback is nginx."""
    listening = machine.sh("awk '$4 == \"0A\" {print $2}' /proc/net/tcp /proc/net/tcp6").split()
    anywhere = {int(each.rpartition(":")[2], 16) for each in listening if re.fullmatch("0+", each.rpartition(":")[0])}
    assert anywhere == {80, 443}


# ---- in operation ----


def test_a_reload_disturbs_no_stream(machine):
    before, new = machine.show("MainPID"), f"another-key-{uuid.uuid4().hex}"
    with machine.streams(SHORT) as begun:
        with machine.setting(f"AIPROXY_API_KEY={machine.key},{new}"):
            machine.run("systemctl", "reload", "aiproxy")
            until(lambda: machine.ask(new).status == 200, "the new key is known")
        machine.run("systemctl", "reload", "aiproxy")
        assert cut(begun) == []
    until(lambda: machine.ask(new).status == 401, "the new key is forgotten")
    assert machine.show("MainPID") == before


def test_a_wrong_setting_is_refused_by_a_reload(machine):
    before = machine.show("MainPID")
    with machine.setting("LOG_LEVEL=LOUD"):
        machine.run("systemctl", "reload", "aiproxy")
        until(lambda: "reload refused" in machine.journal("--lines", "20"), "the journal says so")
    assert "LOG_LEVEL" in machine.journal("--lines", "20")
    assert machine.ask().status == 200
    assert machine.show("MainPID") == before


def test_a_wrong_setting_ends_a_start_once(machine):
    with machine.setting("LOG_LEVEL=LOUD"):
        assert machine.attempt("systemctl", "restart", "aiproxy").returncode != 0
        states = [machine.show(name) for name in ("ActiveState", "SubState", "ExecMainStatus")]
    assert states == ["failed", "failed", "2"]  # and not `auto-restart`
    said = machine.journal("--lines", "10", "--output", "cat")
    assert "aiproxy: cannot start:" in said
    assert "LOG_LEVEL" in said


def test_a_restart_cuts_no_stream(machine):
    before = machine.show("MainPID")
    with machine.streams(SHORT) as begun, machine.begin("systemctl", "restart", "aiproxy") as restart:
        until(lambda: machine.show("ActiveState") == "deactivating", "it stops")
        said = until(lambda: refusal(machine), "nobody new is let in")
        assert cut(begun) == []
        assert restart.wait() == 0
    assert "retry-after" in said.headers
    machine.wait_ready()
    assert machine.show("MainPID") != before
    assert machine.ask().status == 200


def refusal(machine: Machine) -> Said | None:
    """What a new caller is told, when it is 503."""
    said = machine.ask()
    return said if said.status == 503 else None


def test_a_stop_cuts_no_stream(machine):
    with machine.streams(SHORT) as begun, machine.begin("systemctl", "stop", "aiproxy") as stop:
        assert cut(begun) == []
        assert stop.wait() == 0
    assert [machine.show(name) for name in ("ActiveState", "Result")] == ["inactive", "success"]
    assert machine.ask().json["error"]["code"] == "shutting_down"  # nginx says so


def test_a_killed_master_is_replaced(machine):
    before, restarts = machine.show("MainPID"), int(machine.show("NRestarts"))
    machine.run("kill", "-KILL", before)
    until(lambda: machine.show("MainPID") not in {before, "0"}, "there is another")
    machine.wait_ready()
    assert int(machine.show("NRestarts")) == restarts + 1
    assert machine.ask().status == 200


def test_a_killed_worker_is_the_masters_business(machine):
    before, restarts = machine.show("MainPID"), machine.show("NRestarts")
    workers = machine.run("pgrep", "--parent", before).split()
    machine.run("kill", "-KILL", workers[0])
    now = until(lambda: others(machine, before, workers), "there is another")
    assert workers[0] not in now
    machine.wait_ready()
    assert [machine.show("MainPID"), machine.show("NRestarts")] == [before, restarts]


def others(machine: Machine, master: str, workers: list[str]) -> list[str]:
    """The workers, when there are as many as before and one of them is new."""
    now = machine.run("pgrep", "--parent", master).split()
    return now if len(now) == len(workers) and set(now) != set(workers) else []


def test_it_comes_back_with_the_machine_and_its_end_cuts_no_stream(machine):
    key = machine.key
    with machine.streams(LONG) as begun:
        restarting = docker_restart(machine)
        assert cut(begun) == []
        assert restarting.wait() == 0
    machine.wait_booted()
    machine.wait_ready()
    assert machine.ask(key).status == 200


def docker_restart(machine: Machine) -> subprocess.Popen[bytes]:
    """A reboot, which may take as long as the program may take to stop."""
    return subprocess.Popen(["docker", "restart", "--time", "60", machine.container.name], stdout=subprocess.DEVNULL)


# ---- the script once more ----


def test_the_script_a_second_time_changes_nothing(machine):
    before = state(machine)
    with machine.streams(SHORT) as begun:
        said = machine.install()
        assert cut(begun) == []
    assert "written" not in said
    assert "restarting" not in said
    assert state(machine) == before


def state(machine: Machine) -> dict[str, str]:
    """Who runs, since when, and all files."""
    folders = "/opt/aiproxy /etc/aiproxy /etc/nginx /etc/systemd"
    units = {unit: machine.show("ExecMainStartTimestamp", unit) for unit in ("aiproxy", "nginx")}
    sums = machine.sh(f"find {folders} -type f -exec sha256sum {{}} + | sort")
    return {**units, "sums": sums, "names": machine.sh(f"find {folders} -printf '%M %u %g %p %l\n' | sort")}


@pytest.fixture
def newer(machine: Machine) -> Iterator[Machine]:
    """The machine with another program in the checkout, which goes again."""
    with machine.changed(
        "sed -i 's/One door to every model/A newer door/' src/openapi.py && echo >lib/of_this_version.py"
    ):
        yield machine
    machine.sh(PACK)
    said = machine.install("--source", "/srv/aiproxy.tar.gz")
    assert ("/opt/aiproxy written" in said, "restarting" in said) == (True, True)


def test_a_newer_program_takes_over_and_no_stream_is_cut(newer: Machine):
    key = newer.key
    with newer.begin(*newer.INSTALL) as installing, ThreadPoolExecutor() as pool:
        callers = [pool.submit(call_until, installing, newer, key, chunks) for chunks in (10, 15, 20, 25, 30)]
        heard = [outcome for caller in callers for outcome in caller.result()]
        assert installing.wait() == 0
    assert set(heard) == {"whole", "asked to come back"}
    assert newer.title == "A newer door."
    assert newer.key == key


def call_until(over: subprocess.Popen[bytes], machine: Machine, key: str, chunks: int) -> list[str]:
    """How streams fare, one after the other, until a command has ended."""
    outcomes = []
    while over.poll() is None:
        with closing(Door(machine, key=key)) as door:
            door.ask(f"echo/chunks={chunks},gap=0.1", stream=True)
            answer = door.answer()
            if answer.status == 200:
                outcomes.append("whole" if b"".join(door.blocks()).endswith(b"data: [DONE]\n\n") else "cut")
            else:
                outcomes.append(
                    "asked to come back" if answer.status == 503 and "Retry-After" in answer.headers else "failed"
                )
                time.sleep(0.2)
    return outcomes


def test_what_is_installed_is_as_it_was_packed_and_roots(machine):
    assert machine.title == "One door to every model."
    assert machine.attempt("ls", "/opt/aiproxy/lib/of_this_version.py").returncode != 0
    assert machine.run("ls", "/opt") == "aiproxy"
    assert machine.sh("find /opt/aiproxy -not -type l -not '(' -user root -group root -not -perm /022 ')'") == ""
    assert machine.run("/opt/aiproxy/.venv/bin/pip", "--version").startswith("pip ")


def test_an_upgrade_that_fails_leaves_what_is_there(machine):
    before = state(machine)
    with machine.changed("echo 'not-there==1.0 --hash=sha256:00' >>requirements.txt"):
        said = machine.attempt(*machine.INSTALL)
    assert (said.returncode, "not-there" in said.stderr) == (1, True)
    assert state(machine) == before
    assert machine.ask().status == 200


def test_other_answers_are_taken_up(machine):
    machine.install("--max-call-seconds", "30")
    assert machine.show("TimeoutStopUSec") == "1min"
    assert machine.ask().status == 200
    machine.install("--max-call-seconds", str(MOST))
    assert machine.show("TimeoutStopUSec") == f"{MOST + 30}s"


def test_it_is_removed_and_comes_back_with_its_keys(machine):
    made = machine.run(*AS_AIPROXY, "/opt/aiproxy/bin/keys", "create", "to-stay", "--json")
    machine.run(SCRIPT, "--uninstall", "--yes")
    assert machine.show("LoadState") == "not-found"
    assert machine.run("systemctl", "is-active", "nginx") == "active"
    assert machine.attempt("ls", "/opt/aiproxy", "/etc/nginx/conf.d/aiproxy.conf").stdout == ""
    machine.install()  # with the answers of the first time
    assert machine.ask(json.loads(made)["key"]).status == 200


def test_it_is_removed_with_all_that_it_kept(machine):
    machine.run(SCRIPT, "--uninstall", "--purge", "--yes")
    left = "find / -xdev -name '*aiproxy*' -not -path '/srv/*' -not -path '/sys/*' -not -path '/var/log/*'"
    assert machine.sh(f"{left} -not -path '/etc/ssl/*'") == ""
    assert machine.attempt("id", "aiproxy").returncode != 0
    assert machine.show("LoadState") == "not-found"
