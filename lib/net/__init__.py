"""Floor 1: everything that leaves this process."""

from lib.net.http import Exchange, HttpClient, HttpRequest, Origin

__all__ = ["Exchange", "HttpClient", "HttpRequest", "Origin"]
