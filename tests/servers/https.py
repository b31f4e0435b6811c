"""A web server with a certificate, for what is only fetched over TLS."""

from __future__ import annotations

import ssl

from tests.servers.certificates import Certificate
from tests.servers.serving import Handler, Serving


class Https(Serving):
    """Answers every GET with `content`, at `url`, which has the name localhost."""

    def __init__(self, certificate: Certificate, content: bytes) -> None:
        super().__init__(self._handler())
        self.content = content
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://localhost:{self.port}/bundle.pem"

    def _handler(self) -> type[Handler]:
        outer = self

        class Content(Handler):
            def do_GET(self) -> None:  # noqa: N802  the name that the library calls
                self.reply(200, outer.content)

        return Content
