"""A Debian machine whose process 1 is systemd, in a container: there an administrator runs `cicd/single-host`."""

from __future__ import annotations

import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

from tests.containers.docker import Container, Containers, attempt, build, docker, inspect, until
from tests.containers.streams import Begun, streams
from tests.drills.client import Said
from tests.house.tree import ROOT, files
from tests.lib.net.tls import make_certificate
from tests.singlehost.door import Door
from tests.singlehost.installed import DOMAIN, NOT_INSTALLED
from tests.upstream.ports import free_ports

TAG = "aiproxy-machine"
# What systemd needs: mounts and control groups of its own, and to see the processes of a hidden /proc.
RIGHTS = ("--cgroupns", "private", "--cap-add", "SYS_ADMIN", "--cap-add", "SYS_PTRACE")
RIGHTS += ("--security-opt", "apparmor=unconfined")
# The engine mounts the control groups for reading; systemd must write there.
BOOT = """
for each in /sys/fs/cgroup /sys/fs/cgroup/*; do
  ! mountpoint --quiet "$each" || mount -o remount,bind,rw "$each"
done
exec /sbin/init
"""
CHECKOUT = "/srv/aiproxy"
SCRIPT = f"{CHECKOUT}/cicd/single-host/install.sh"
CONFIG = "/etc/aiproxy/config.txt"
CERTIFICATES = "/etc/ssl/aiproxy"
STREAMS = 20
MOST = 25  # seconds that a call may take
COMMIT = "git add --all && git -c user.name=x -c user.email=x@example.org commit --quiet --message All"
SECONDS = 300.0


def image() -> str:
    """The id of the machine's image."""
    return build(str(ROOT), TAG, "--file", str(Path(__file__).with_name("machine.Dockerfile")))


class Machine:
    """One machine with a checkout of this tree and a certificate. A `tests.singlehost.door.Site`."""

    INSTALL = ("env", "PIP_NO_INDEX=1", "PIP_FIND_LINKS=/wheels", SCRIPT, "--yes")

    def __init__(self, made: str, containers: Containers, folder: Path) -> None:
        (port,) = free_ports(1)
        make_certificate(folder, DOMAIN)
        self.flags = {"certificate": str(folder / f"{DOMAIN}.crt"), "https-port": str(port)}
        publish = ("--publish", f"127.0.0.1:{port}:443")
        self.container: Container = containers(made, *RIGHTS, *publish, command=("bash", "-c", BOOT))
        self._copy(folder)
        self.wait_booted()

    @property
    def key(self) -> str:
        """The first key, as an administrator reads it."""
        return self.run("sed", "-n", "s/^AIPROXY_API_KEY=//p", CONFIG).partition(",")[0]

    @property
    def address(self) -> str:
        """Whom the machine sees when we call."""
        return str(inspect(self.container.name)["NetworkSettings"]["Gateway"])

    def run(self, *command: str) -> str:
        """What a command wrote on standard output, as root. Raises `DockerError` when it fails."""
        return docker("exec", self.container.name, *command, timeout=SECONDS)

    def attempt(self, *command: str) -> subprocess.CompletedProcess[str]:
        """A command that may fail."""
        return attempt("exec", self.container.name, *command, timeout=SECONDS)

    def sh(self, script: str) -> str:
        """What a script of bash wrote on standard output."""
        return self.run("bash", "-euo", "pipefail", "-c", script)

    def begin(self, *command: str) -> subprocess.Popen[bytes]:
        """A command that goes on while others do."""
        return subprocess.Popen(["docker", "exec", self.container.name, *command], stdout=subprocess.DEVNULL)

    def install(self, *flags: str) -> str:
        """What the script said."""
        return self.run(*self.INSTALL, *flags)

    def install_first(self) -> str:
        """The same with the answers that it must be given once."""
        files = ("--certificate", f"{CERTIFICATES}/{DOMAIN}.crt", "--certificate-key", f"{CERTIFICATES}/{DOMAIN}.key")
        return self.install("--domain", DOMAIN, *files, "--max-call-seconds", str(MOST))

    @contextmanager
    def changed(self, script: str) -> Iterator[None]:
        """Another program in the checkout, for the length of a block."""
        self.sh(f"cd {CHECKOUT} && {script} && {COMMIT}")
        try:
            yield
        finally:
            self.sh(f"cd {CHECKOUT} && git reset --quiet --hard HEAD~1")

    @contextmanager
    def setting(self, line: str) -> Iterator[None]:
        """A further line of the settings, for the length of a block."""
        self.run("bash", "-c", f'cp -p {CONFIG} {CONFIG}.kept; echo "$1" >>{CONFIG}', "bash", line)
        try:
            yield
        finally:
            self.run("mv", f"{CONFIG}.kept", CONFIG)

    def ask(self, key: str | None = None) -> Said:
        """One call through nginx."""
        with closing(Door(self, key=key or self.key)) as door:
            door.ask("echo/chunks=3")
            return door.said()

    def streams(self, seconds: int) -> AbstractContextManager[list[Begun]]:
        """Streams through nginx, so long."""
        key = self.key
        return streams(lambda: Door(self, key=key), f"echo/chunks={seconds * 5},gap=0.2", STREAMS)

    @property
    def title(self) -> str:
        """How the program that runs describes itself."""
        with closing(Door(self, key=self.key)) as door:
            return str(door.get("/openapi.json").json["info"]["description"])

    def show(self, name: str, unit: str = "aiproxy") -> str:
        """What systemd knows about a unit."""
        return self.run("systemctl", "show", "--property", name, "--value", unit)

    def journal(self, *options: str) -> str:
        """What the unit said, and systemd about it."""
        return self.run("journalctl", "--no-pager", "--unit", "aiproxy", *options)

    def wait_booted(self) -> None:
        """Wait until systemd has started all that it should; `degraded` would mean that a unit failed."""
        until(self._booted, "the machine is up")

    def wait_ready(self) -> None:
        """Wait until nginx and the program answer."""
        url = f"https://{DOMAIN}/monitoring/ready"
        ask = ("curl", "--silent", "--insecure", "--fail", "--resolve", f"{DOMAIN}:443:127.0.0.1", url)
        until(lambda: self.attempt(*ask).returncode == 0, "the site is ready")

    def _booted(self) -> bool:
        state = self.attempt("systemctl", "is-system-running").stdout.strip()
        assert state not in {"degraded", "maintenance"}, self.run("systemctl", "--failed", "--no-pager")
        return state == "running"

    def _copy(self, folder: Path) -> None:
        packed = folder / "machine.tar"
        with tarfile.open(packed, "w") as made:
            for file in files(ROOT):
                name = file.relative_to(ROOT)
                if name.parts[0] not in NOT_INSTALLED - {"cicd"}:
                    made.add(file, f"{CHECKOUT}/{name}", filter=_roots)
            for ending in ("crt", "key"):
                made.add(folder / f"{DOMAIN}.{ending}", f"{CERTIFICATES}/{DOMAIN}.{ending}", filter=_roots)
        with packed.open("rb") as stream:
            docker("cp", "-", f"{self.container.name}:/", stdin=stream)
        self.sh(f"cd {CHECKOUT} && git init --quiet && {COMMIT}")


def _roots(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    return entry
