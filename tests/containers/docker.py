"""Docker's command line as tests use it: images, containers, and what became of them."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from tests.upstream.gateway import KEY

PATIENCE = 60.0  # seconds, for what should take a few
BUILD_PATIENCE = 900.0
TICK = 0.1
PIP = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST")
HARDENED = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")


class DockerError(Exception):
    """A command of Docker's failed. Says what it was and what it wrote."""


def docker(*words: str, timeout: float = PATIENCE, **options: Any) -> str:
    """What a command wrote on standard output. Raises `DockerError` when it fails."""
    done = attempt(*words, timeout=timeout, **options)
    if done.returncode:
        raise DockerError(f"docker {' '.join(words)}\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


def attempt(*words: str, timeout: float = PATIENCE, **options: Any) -> subprocess.CompletedProcess[str]:
    """A command that may fail."""
    return subprocess.run(["docker", *words], capture_output=True, text=True, timeout=timeout, check=False, **options)


def build(folder: str, tag: str, *flags: str) -> str:
    """The id of the image that a folder's Dockerfile makes. Its steps are remembered by the engine."""
    arguments = [word for name in PIP if name in os.environ for word in ("--build-arg", name)]
    arguments += os.environ.get("DOCKER_BUILD_FLAGS", "").split()
    return docker("build", "--quiet", "--tag", tag, *arguments, *flags, folder, timeout=BUILD_PATIENCE).splitlines()[-1]


def inspect(thing: str) -> dict[str, Any]:
    """All that the engine knows about an image or a container."""
    found: dict[str, Any] = json.loads(docker("inspect", thing))[0]
    return found


def until(true: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """The value of a condition as soon as it holds. Raises `TimeoutError`."""
    end = time.monotonic() + seconds
    while not (value := true()):
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds:g} s")
        time.sleep(TICK)
    return value


class Container:
    """One container. It has what the clients in `tests.drills` ask of a gateway: `key` and `settings["PORT"]`."""

    def __init__(self, name: str, key: str = KEY) -> None:
        self.name = name
        self.key = key

    def __repr__(self) -> str:
        return f"{self.name}\n{self.logs()}"

    @cached_property
    def settings(self) -> Mapping[str, str]:
        """The port of the host that leads to the container's 5000."""
        return {"PORT": docker("port", self.name, "5000/tcp").splitlines()[0].rpartition(":")[2]}

    @property
    def state(self) -> dict[str, Any]:
        """The engine's record of whether it runs, how well, and how it ended."""
        state: dict[str, Any] = inspect(self.name)["State"]
        return state

    @property
    def health(self) -> str:
        """`starting`, `healthy` or `unhealthy`, as HEALTHCHECK says; `exited` when it does not run."""
        state = self.state
        return str(state["Health"]["Status"]) if state["Running"] else "exited"

    def logs(self) -> str:
        """Both streams, in no certain order."""
        done = attempt("logs", self.name)
        return done.stdout + done.stderr

    def log_lines(self) -> Iterator[dict[str, Any]]:
        """The log, each line of which must be a JSON object."""
        for line in self.logs().splitlines():
            yield json.loads(line)

    def execute(self, *command: str) -> subprocess.CompletedProcess[str]:
        """A command inside."""
        return attempt("exec", self.name, *command)

    def wait_healthy(self, seconds: float = PATIENCE) -> None:
        """Wait until HEALTHCHECK says that it is well. Raises `AssertionError` with the log when it has ended."""
        end = time.monotonic() + seconds
        while (health := self.health) != "healthy":
            assert health != "exited", self.logs()
            assert time.monotonic() < end, f"{health}\n{self.logs()}"
            time.sleep(TICK)

    def wait_exited(self, seconds: float = PATIENCE) -> int:
        """Its exit status, once it has ended."""
        return int(docker("wait", self.name, timeout=seconds))


class Containers:
    """Starts containers with names of their own and removes them all at the end."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self.started: list[Container] = []

    def __call__(self, image: str, *options: str, command: Sequence[str] = (), **settings: str) -> Container:
        """A container that has just been started; capitals are its environment."""
        name = f"{self._prefix}-{len(self.started)}"
        environment = [word for setting in settings.items() for word in ("--env", "=".join(setting))]
        container = Container(name, settings.get("AIPROXY_API_KEY", KEY))
        self.started.append(container)
        docker("run", "--detach", "--name", name, *options, *environment, image, *command)
        return container

    def remove(self) -> None:
        """End and remove all of them, and their volumes."""
        for container in self.started:
            attempt("rm", "--force", "--volumes", container.name)
