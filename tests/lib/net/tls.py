"""A vendor behind TLS, with a certificate made on the spot."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from contextlib import closing, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.upstream import Upstream

SECONDS = 30.0


def make_certificate(directory: Path, name: str) -> Path:
    """A self-signed certificate for `name`, with its key in the same file."""
    made = directory / f"{name}.pem"
    key, certificate = directory / f"{name}.key", directory / f"{name}.crt"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-keyout", str(key), "-out", str(certificate), "-days", "2"]
    command += ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    subprocess.run(command, check=True, capture_output=True)
    made.write_text(key.read_text() + certificate.read_text())
    return made


class TlsFront:
    """Takes TLS on a loopback port and hands on the bytes, both ways."""

    def __init__(self, upstream: Upstream, certificate: Path) -> None:
        self._to = (upstream.host, upstream.port)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://localhost:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(SECONDS)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:  # shut down: the end of the test
                return
            self._threads.append(threading.Thread(target=self._serve, args=(plain,), daemon=True))
            self._threads[-1].start()

    def _serve(self, plain: socket.socket) -> None:
        try:
            outer = self._context.wrap_socket(plain, server_side=True)
        except OSError:  # the client does not trust us
            plain.close()
            return
        with closing(outer), closing(socket.create_connection(self._to)) as inner:
            back = threading.Thread(target=_pump, args=(inner, outer), daemon=True)
            back.start()
            _pump(outer, inner)
            back.join(SECONDS)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):  # either side has left: so does the other
        while data := source.recv(65536):
            sink.sendall(data)
    for end in (sink, source):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
