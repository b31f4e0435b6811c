"""A container of an ECS task definition, as `docker run` makes it: what Fargate would do with it on this engine."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

KNOWN = {
    "Name", "Image", "Command", "Essential", "User", "ReadonlyRootFilesystem", "LinuxParameters", "MountPoints",
    "Environment", "Secrets", "LogConfiguration", "DependsOn", "Ulimits", "PortMappings", "StopTimeout", "HealthCheck",
}  # fmt: skip
EVERY = "2s"  # the health check is asked more often than the template says: nobody waits for it


def options(container: Mapping[str, Any], volume: str, most_files: int) -> list[str]:
    """Its options, but for the environment. `volume` is the task's; no limit of files is set beyond what this engine
    can give. Raises `KeyError` for a field not known here."""
    if unknown := container.keys() - KNOWN:
        raise KeyError(f"not carried out: {unknown}")
    return [*_rights(container, most_files), *_storage(container, volume), *_life(container)]


def environment(container: Mapping[str, Any], secrets: Mapping[str, str]) -> dict[str, str]:
    """Its environment; `secrets` holds what ECS would take from Secrets Manager, by name."""
    plain = {one["Name"]: str(one["Value"]) for one in container["Environment"]}
    return plain | {one["Name"]: secrets[one["Name"]] for one in container.get("Secrets", [])}


def _rights(container: Mapping[str, Any], most_files: int) -> Iterator[str]:
    yield from ("--user", container["User"])
    linux = container["LinuxParameters"]
    if container["ReadonlyRootFilesystem"]:
        yield "--read-only"
    if linux["InitProcessEnabled"]:
        yield "--init"
    for capability in linux["Capabilities"]["Drop"]:
        yield from ("--cap-drop", capability)
    for limit in container.get("Ulimits", []):
        soft, hard = (min(limit[kind], most_files) for kind in ("SoftLimit", "HardLimit"))
        yield from ("--ulimit", f"{limit['Name']}={soft}:{hard}")


def _storage(container: Mapping[str, Any], volume: str) -> Iterator[str]:
    for mount in container["LinuxParameters"]["Tmpfs"]:
        words = [f"size={mount['Size']}m", *mount["MountOptions"]]
        yield from ("--tmpfs", f"{mount['ContainerPath']}:{','.join(words)}")
    for point in container["MountPoints"]:
        yield from ("--volume", f"{volume}:{point['ContainerPath']}")


def _life(container: Mapping[str, Any]) -> Iterator[str]:
    if "StopTimeout" in container:
        yield from ("--stop-timeout", str(container["StopTimeout"]))
    if check := container.get("HealthCheck"):
        kind, *command = check["Command"]
        assert kind == "CMD"
        yield from ("--health-cmd", shlex.join(command), "--health-retries", str(check["Retries"]))
        yield from ("--health-interval", EVERY, "--health-timeout", f"{check['Timeout']}s")
        yield from ("--health-start-period", f"{check['StartPeriod']}s")
    for port in container.get("PortMappings", []):
        yield from ("--publish", f"127.0.0.1::{port['ContainerPort']}")
