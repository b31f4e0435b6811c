"""Floor 1: everything that crosses the edge of this process."""

from lib.net.aside import Aside, Does
from lib.net.client_watch import ClientWatch, NoWatch, has_left
from lib.net.connections import Origin
from lib.net.http import Exchange, HttpClient, HttpRequest
from lib.net.s3 import S3Folder
from lib.net.secrets import Pulled, declared_secrets, pull, wanted
from lib.net.secrets_manager import SET, look
from lib.net.wait import Wait

__all__ = [
    "SET",
    "Aside",
    "ClientWatch",
    "Does",
    "Exchange",
    "HttpClient",
    "HttpRequest",
    "NoWatch",
    "Origin",
    "Pulled",
    "S3Folder",
    "Wait",
    "declared_secrets",
    "has_left",
    "look",
    "pull",
    "wanted",
]
