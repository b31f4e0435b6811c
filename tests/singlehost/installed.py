"""What `cicd/single-host/install.sh` makes below a folder, and the server run from there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
from dataclasses import dataclass, field
from pathlib import Path

from tests.house.tree import ROOT, files
from tests.lib.net.tls import make_certificate
from tests.servers import Nginx
from tests.upstream import Gateway, free_ports

SCRIPT = ROOT / "cicd" / "single-host" / "install.sh"
DOMAIN = "ai.example.test"
NOT_INSTALLED = {"tests", "bench", "docs", ".ci", "cicd"}
SECONDS = 120
SETUP = f"""#!/usr/bin/env bash
# What is installed already, in the place of a download.
set -euo pipefail
ln -sfn {sys.prefix} "$(dirname "${{BASH_SOURCE[0]}}")/../.venv"
"""


def archive(path: Path) -> Path:
    """The program's files as a .tar.gz, with a bin/setup.sh that fetches nothing."""
    setup = path.with_name("setup.sh")
    setup.write_text(SETUP)
    setup.chmod(0o755)
    with tarfile.open(path, "w:gz", compresslevel=1) as made:
        for file in files(ROOT):
            name = file.relative_to(ROOT)
            if name.parts[0] not in NOT_INSTALLED and file.suffix != ".pyc":
                made.add(setup if name == Path("bin/setup.sh") else file, Path("aiproxy") / name)
    return path


@dataclass
class Machine:
    """A folder that stands for a machine's root, with ports of its own."""

    root: Path
    flags: dict[str, str] = field(default_factory=dict)

    @classmethod
    def new(cls, directory: Path) -> Machine:
        """One with the flags of a first installation, on free loopback ports, and a self-made certificate."""
        directory.mkdir(parents=True, exist_ok=True)
        make_certificate(directory, DOMAIN)
        port, http, https = free_ports(3)
        flags = {
            "domain": DOMAIN,
            "certificate": str(directory / f"{DOMAIN}.crt"),
            "certificate-key": str(directory / f"{DOMAIN}.key"),
            "source": str(archive(directory / "aiproxy.tar.gz")),
            "listen": "127.0.0.1",
            "port": str(port),
            "http-port": str(http),
            "https-port": str(https),
        }
        return cls(directory / "root", flags)

    def run(self, *argv: str, status: int = 0, **environ: str) -> str:
        """The script with these arguments; what it said. Fails when it ends with another status."""
        environ = {"PATH": f"{os.environ['PATH']}:/usr/sbin", **environ}
        command = [str(SCRIPT), "--root", str(self.root), *argv]
        done = subprocess.run(
            command,
            cwd="/",
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    def install(self, *argv: str, **environ: str) -> str:
        """A first installation, or the same once more, with further flags."""
        own = [word for name, value in self.flags.items() for word in (f"--{name}", value)]
        return self.run(*own, *argv, "--yes", **environ)

    def install_fails(self, *argv: str, **environ: str) -> str:
        """The same, when a step of it must fail."""
        own = [word for name, value in self.flags.items() for word in (f"--{name}", value)]
        return self.run(*own, *argv, "--yes", status=1, **environ)

    def at(self, path: str) -> Path:
        """A path of the machine, such as `/etc/aiproxy/config.txt`."""
        return self.root / path.lstrip("/")

    @property
    def unit(self) -> str:
        """The systemd unit."""
        return self.at("/etc/systemd/system/aiproxy.service").read_text()

    @property
    def site(self) -> str:
        """The nginx site."""
        return self.at("/etc/nginx/conf.d/aiproxy.conf").read_text()

    @property
    def key(self) -> str:
        """The key that the first installation made."""
        found = re.search(r"^AIPROXY_API_KEY=(\S+)$", self.at("/etc/aiproxy/config.txt").read_text(), re.M)
        assert found is not None
        return found[1]

    def environment(self) -> dict[str, str]:
        """What the unit sets, with paths of this machine."""
        pairs = dict(re.findall(r"^Environment=(\w+)=(\S*)$", self.unit, re.M))
        return {name: value.replace("/opt/", f"{self.root}/opt/") for name, value in pairs.items()}

    def server(self, **settings: str) -> Gateway:
        """The server as the unit starts it, from the installed files; its key and database are the installed ones."""
        app, config = self.at("/opt/aiproxy"), self.at("/etc/aiproxy/config.txt")
        assert (app / "config.txt").readlink() == Path("/etc/aiproxy/config.txt")
        (app / "config.txt").unlink()
        (app / "config.txt").symlink_to(config)
        config.write_text(config.read_text().replace("sqlite:////var/", f"sqlite:///{self.root}/var/"))
        server = Gateway(app, {**self.environment(), "AIPROXY_API_KEY": "", **settings}, root=app)
        server.key = self.key
        return server

    def nginx(self, name: str = "nginx") -> Nginx:
        """nginx with the site, in a folder of its own."""
        directory = self.root.parent / name
        directory.mkdir()
        site = directory / "site.conf"
        site.write_text(self.site.replace("/var/log/nginx", str(directory)))
        return Nginx(directory, site, int(self.flags["https-port"]))
