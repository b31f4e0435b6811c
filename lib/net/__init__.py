"""Floor 1: everything that crosses the edge of this process."""

from lib.net.aside import Aside, Does
from lib.net.client_watch import ClientWatch, NoWatch, has_left
from lib.net.connections import Origin
from lib.net.http import Exchange, HttpClient, HttpRequest
from lib.net.s3 import S3Folder
from lib.net.wait import Wait

__all__ = [
    "Aside",
    "ClientWatch",
    "Does",
    "Exchange",
    "HttpClient",
    "HttpRequest",
    "NoWatch",
    "Origin",
    "S3Folder",
    "Wait",
    "has_left",
]
