"""Run the live tests against a deployment: `bin/live-test`.

Exit status: 0 when all passed, 1 when something failed, 2 for a wrong argument or no key, 3 when the deployment cannot
be reached or is not ready.
"""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

import requests

from lib.cli.ending import leave
from lib.cli.live_deployment import ECHO, Deployment, Unreachable, total
from lib.cli.live_environments import FILE, Environment, Unusable, credential, find
from lib.cli.live_trouble import explain

FAILED, USAGE, UNREACHABLE = 1, 2, 3
ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 10.0  # seconds that pytest has to end by itself
FORBIDDEN = (401, 403)


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out the command line; the exit status."""
    given = _parser().parse_args(argv)
    signal.signal(signal.SIGTERM, _stop)  # what a pipeline sends: it cleans up as on Ctrl-C
    try:
        environment = find(given.env, given.url, os.environ)
        return _run(environment, given)
    except Unusable as error:
        return _fail(str(error), USAGE)
    except Unreachable as error:
        return _not_there(given.env, given.url, str(error))
    except requests.RequestException as error:
        return _fail(f"the connection was lost ({type(error).__name__})", UNREACHABLE)
    except KeyboardInterrupt:
        return _fail("stopped", FAILED)


def _run(environment: Environment, given: argparse.Namespace) -> int:
    key = credential(environment, given.key_file, os.environ)
    run = f"live-test-{secrets.token_hex(4)}"
    Deployment(environment.url, None, run).wait_until_ready(given.wait)
    deployment = Deployment(environment.url, key, run)
    status = deployment.admits()
    if status in FORBIDDEN and key and environment.fields.get("token_url"):
        key = credential(environment, given.key_file, os.environ, fresh=True)
        deployment = Deployment(environment.url, key, run)
        status = deployment.admits()
    if status in FORBIDDEN and key:
        return _fail(f"{environment.url} refuses the key", FAILED)
    if status in FORBIDDEN and not given.smoke:
        name = environment.name.upper().replace("-", "_")
        raise Unusable(f"no key is known: give --key-file, or set {name}_API_KEY, or say more in {FILE}")
    if status not in (200, *FORBIDDEN):
        return _fail(f"{environment.url} answers {status} to /v1/models", FAILED)
    return _tested(deployment, key, given, admitted=status == 200)


def _tested(deployment: Deployment, key: str | None, given: argparse.Namespace, *, admitted: bool) -> int:
    """Run pytest with what the run may use, then take back what it made, whatever happened."""
    model = given.model or (deployment.cheapest_model() if admitted else None)
    if admitted and not model and not given.smoke:
        raise Unusable("no model that it offers has a known price: give --model")
    print(f"live tests of {deployment.url}, model {model or 'none'}, run {deployment.run}", flush=True)
    admin = admitted and not given.smoke and deployment.is_admin()
    environ = {
        "LIVE_URL": deployment.url,
        "LIVE_RUN": deployment.run,
        "LIVE_KEY": key or "",
        "LIVE_ADMITTED": "1" if admitted else "",
        "LIVE_MODEL": model or "",
        "LIVE_SMOKE": "1" if given.smoke else "",
        "LIVE_ADMIN_KEY": "",
        "LIVE_ADMIN": "1" if admin else "",
    }
    try:
        if admin:
            _, environ["LIVE_KEY"] = deployment.make_key(given.max_cost)
            environ["LIVE_ADMIN_KEY"] = key or ""
        return _pytest(environ, given)
    finally:
        _clean_up(deployment, admin=admin)
        _print_costs(deployment, given.max_cost if admin else None, free=model == ECHO or given.smoke)


def _pytest(environ: dict[str, str], given: argparse.Namespace) -> int:
    command = [sys.executable, "-m", "pytest", "tests/live", "-p", "no:cacheprovider", "-q", *given.pytest]
    command += ["-m", "smoke"] if given.smoke else []
    kept = {name: value for name, value in os.environ.items() if not name.endswith(("_API_KEY", "_SECRET"))}
    running = subprocess.Popen(command, cwd=ROOT, env={**kept, **environ})  # noqa: S603  our own tests
    try:
        return FAILED if running.wait() else 0
    except KeyboardInterrupt:
        _end(running)
        raise


def _end(running: subprocess.Popen[bytes]) -> None:
    """Let pytest end as on Ctrl-C, or end it."""
    running.send_signal(signal.SIGINT)
    try:
        running.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        running.kill()
        running.wait()


def _clean_up(deployment: Deployment, *, admin: bool) -> None:
    if not admin:
        return
    try:
        revoked = deployment.sweep()
    except requests.RequestException as error:
        print(f"bin/live-test: keys called {deployment.run} were not revoked ({type(error).__name__})", file=sys.stderr)
        return
    print(f"revoked: {', '.join(revoked) or 'nothing was left'}")


def _print_costs(deployment: Deployment, bound: str | None, *, free: bool) -> None:
    rows = deployment.calls()
    limit = f", {bound} USD at most" if bound and not free else ""
    if rows is None:
        print(f"cost: not known to this key{limit}")
    else:
        print(f"cost: {total(rows):f} USD in {len(rows)} calls{limit}")


def _not_there(name: str, url: str | None, reason: str) -> int:
    environment = find(name, url, os.environ)
    status = _fail(f"{environment.url}: {reason}", UNREACHABLE)
    if told := explain(environment, os.environ):
        print(f"The secrets of {name}/{environment.host}:\n{told}", file=sys.stderr)
    return status


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _fail(message: str, status: int) -> int:
    print(f"bin/live-test: {message}", file=sys.stderr)
    return status


def _amount(text: str) -> str:
    if not text.replace(".", "", 1).isascii() or not text.replace(".", "", 1).isdigit() or not float(text):
        raise argparse.ArgumentTypeError("must be USD, such as 0.25")
    return text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bin/live-test", description="Run the live tests against a deployment.", allow_abbrev=False
    )
    add = parser.add_argument
    add("--env", default="local", metavar="NAME", help=f"local (the default), test, production, or one of {FILE}")
    add("--url", metavar="URL", help="its address, before every other that is known")
    add("--key-file", type=Path, metavar="FILE", help="a file (mode 0600) with the key")
    add("--smoke", action="store_true", help="a few tests that cost nothing and change nothing; a key is not needed")
    add("--model", metavar="NAME", help="the model to ask; the echo or the cheapest by default")
    add("--max-cost", type=_amount, default="0.25", metavar="USD", help="the budget of the run's key (0.25)")
    add("--wait", type=float, default=0.0, metavar="SECONDS", help="how long it may take to become ready (0)")
    add("pytest", nargs="*", metavar="-- ARGUMENT", help="further arguments of pytest, after --")
    return parser


if __name__ == "__main__":
    leave(main)
