"""Every store, as for `lib.stores`."""

from tests.lib.stores.conftest import database, url

__all__ = ["database", "url"]
