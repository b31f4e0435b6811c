"""Floor 2: the vendors, and the built-in echo."""

from lib.providers.base import Answer, Headers, Outgoing, Provider
from lib.providers.catalog import ECHO, Catalog, build_catalog

__all__ = ["ECHO", "Answer", "Catalog", "Headers", "Outgoing", "Provider", "build_catalog"]
