"""A real nginx on loopback ports, with one site."""

from __future__ import annotations

import os
import shutil
import socket
from contextlib import suppress
from pathlib import Path

from tests.servers.program import Program, missing
from tests.upstream.ports import LOOPBACK

CONF = """
{user}
daemon off;
pid {at}/nginx.pid;
error_log {at}/error.log;
events {{ worker_connections 1024; }}
http {{
    client_body_temp_path {at}/body;
    proxy_temp_path {at}/proxy;
    fastcgi_temp_path {at}/fastcgi;
    uwsgi_temp_path {at}/uwsgi;
    scgi_temp_path {at}/scgi;
    include {site};
}}
"""


class Nginx(Program):
    """nginx with the site in a file, which listens at `port`; what it writes is in `directory`."""

    def __init__(self, directory: Path, site: Path, port: int) -> None:
        program = shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
        program = program or missing("nginx", "nginx-light")
        directory.mkdir(parents=True, exist_ok=True)
        self.conf = directory / "nginx.conf"
        user = "user root;" if os.geteuid() == 0 else ""
        self.conf.write_text(CONF.format(at=directory, site=site, user=user))
        self._port = port
        command = [program, "-e", str(directory / "error.log"), "-c", str(self.conf)]
        super().__init__(command, directory / "nginx.log", self._answers)

    def _answers(self) -> bool:
        with suppress(OSError), socket.create_connection((LOOPBACK, self._port), 1.0):
            return True
        return False
