"""bin/healthcheck against a server that is ready, one that is not, one that is silent and none."""

import os
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.house.tree import ROOT


class Handler(BaseHTTPRequestHandler):
    """Answers with the status its server was given, on the one path that exists."""

    def do_GET(self):
        self.send_response(self.server.status if self.path == "/monitoring/ready" else 404)
        self.end_headers()

    def log_message(self, *_):
        """Nothing is logged."""


@pytest.fixture
def serve():
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})

        def start(status):
            server.status = status
            thread.start()
            return server.server_port

        yield start
        server.shutdown()
        thread.join()


def check(port, host="127.0.0.1", *arguments):
    environ = {**os.environ, "HOST": host, "PORT": str(port)}
    script = [sys.executable, ROOT / "bin/healthcheck", *arguments]
    return subprocess.run(script, env=environ, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", ""])
def test_ready(serve, host):
    assert check(serve(200), host).returncode == 0


def test_not_ready(serve):
    assert check(serve(503)).returncode == 1


def test_another_path(serve):
    port = serve(200)
    assert check(port, "127.0.0.1", "/monitoring/ready").returncode == 0
    assert check(port, "127.0.0.1", "/monitoring/healthz").returncode == 1


def test_nobody_listens():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        done = check(taken.getsockname()[1])
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_junk_for_an_answer():
    with socket.create_server(("127.0.0.1", 0)) as junk:

        def answer():
            connection, _ = junk.accept()
            with connection:
                connection.recv(1024)
                connection.sendall(b"junk\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        done = check(junk.getsockname()[1])
        thread.join()
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
