"""Who grades for `bin/rubric-tester`: the services of this process, or a proxy at an address."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from io import FileIO

import gevent

from lib.access import EVERYTHING, Caller
from lib.assessment import Asker, Graded, Grader, Request, measure
from lib.base import Settings
from lib.base.errors import AIProxyError, StoreUnavailable
from lib.cli.database import prepare
from lib.cli.tester_costs import Reckoner, priced
from lib.gateway import Record
from lib.ledger import Keeper
from lib.net import NoWatch
from lib.telemetry import configure_logs
from lib.wiring import Services, build_services

CALLER = Caller("rubric-tester", EVERYTHING)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who is to grade: the proxy at `url` with its `key`, else this process. `dry`: nothing is asked."""

    url: str | None = None
    key: str | None = None
    dry: bool = False


Who = Callable[[Settings, Wanted], AbstractContextManager[measure.Grader]]


@contextmanager
def grader(settings: Settings, wanted: Wanted) -> Iterator[measure.Grader]:
    """The one that is wanted. Raises `InputError`, `SettingsError`."""
    if wanted.url is None:
        with _services(settings, dry=wanted.dry) as services:
            told = build_services(_quiet(settings)) if wanted.dry else services
            yield LocalGrader(services, told.grader)
        return
    keys = [secret.get_secret_value() for secret in settings.aiproxy_api_key]
    remote = measure.RemoteGrader(wanted.url, wanted.key or next(iter(keys), None), Reckoner(settings).cost)
    try:
        yield remote
    finally:
        remote.close()


@contextmanager
def _services(settings: Settings, *, dry: bool) -> Iterator[Services]:
    """The server's services, with books in which every call is written down as a server's is."""
    configure_logs("ERROR", "console", settings.secret_values(), FileIO(2, "wb", closefd=False))
    if dry:
        yield priced(settings)
        return
    services = build_services(_quiet(settings))
    try:
        prepare(settings, services.database)
    except StoreUnavailable as error:
        raise measure.InputError(f"DATABASE_URL: the database cannot be used: {error.detail}") from None
    keeper = gevent.spawn(Keeper(services.books, lambda _there: None, gevent.sleep).run)
    try:
        yield services
    finally:
        keeper.kill()
        with suppress(StoreUnavailable):
            services.books.leave()
        services.database.close()
        services.http.close()


def _quiet(settings: Settings) -> Settings:
    return settings.model_copy(update={"metrics_port": 0})


class LocalGrader:
    """Grades in this process, with the server's own code. `told` says what a server with these settings is."""

    def __init__(self, services: Services, told: Grader) -> None:
        self._services = services
        self._told = told

    def check(self, experiment: measure.Experiment) -> None:
        """See that the model is there and the parameters fit. Raises `InputError`."""
        try:
            self._services.grader.bodies(self._request(experiment, "var x;"))
        except AIProxyError as error:
            raise measure.InputError(f"{experiment.folder}: {error.message.rstrip('.')}{_hint(error)}") from None

    def grade(self, experiment: measure.Experiment, code: str) -> Graded:
        """Grade one program. Raises `Ungraded`."""
        record = Record(caller=CALLER.name, route="bin/rubric-tester", family="assessment")
        asker = Asker(CALLER, NoWatch(), record)
        try:
            return self._services.grader.grade(self._request(experiment, code), asker)
        except AIProxyError as error:
            raise measure.Ungraded.of(error, record.cost) from None

    def identity(self) -> str:
        """What a server with these settings would say of itself."""
        return self._told.fingerprint

    def rehearsed(self) -> bool:
        """Whether the settings say so."""
        return self._told.rehearsed

    def _request(self, experiment: measure.Experiment, code: str) -> Request:
        return self._services.grader.read({name: [value] for name, value in measure.form(experiment, code).items()})


def _hint(error: AIProxyError) -> str:
    return "; bin/run.sh --check shows which models there are" if error.status == 404 else ""
