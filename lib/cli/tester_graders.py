"""Who grades for `bin/rubric-tester`: the services of this process, or a proxy at an address."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from lib.assessment.measure import Grader, InputError, RemoteGrader
from lib.base import Settings

Who = Callable[[Settings, str | None, str | None], AbstractContextManager[Grader]]


@contextmanager
def grader(settings: Settings, url: str | None, key: str | None) -> Iterator[Grader]:
    """The one that is wanted. Raises `InputError`."""
    if url is None:
        raise InputError("grading in this process is not there yet")
    keys = [secret.get_secret_value() for secret in settings.aiproxy_api_key]
    remote = RemoteGrader(url, key or next(iter(keys), None))
    try:
        yield remote
    finally:
        remote.close()
