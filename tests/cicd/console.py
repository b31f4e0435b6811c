"""An operator at work on the account: the project's scripts and the real AWS CLI, with nothing of the tester's own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import boto3

from tests.cicd.quick_cli import quick_cli
from tests.house.tree import ROOT
from tests.servers.program import Program
from tests.upstream.aws_environment import environment
from tests.upstream.ports import LOOPBACK, free_ports

REGION = "us-east-1"
FIRST_TIME = {
    "GitHubOwner": "example",
    "GitHubRepo": "aiproxy",
    "ConnectionArn": f"arn:aws:codeconnections:{REGION}:123456789012:connection/0a1b2c3d-0000-4000-8000-000000000000",
    "BaseDomainName": "example.org",
    "BaseDomainHostedZoneId": "Z0123456789ABC",
}


class Console:
    """One account of its own, and who works on it."""

    def __init__(self, folder: Path) -> None:
        (port,) = free_ports(1)
        self._port = port
        self.stand_ins = folder / "stand-ins"
        self.stand_ins.touch()
        command = [sys.executable, "-m", "tests.cicd.account", str(port), str(self.stand_ins)]
        self._server = Program(command, folder / "account.log", self._answers, cwd=ROOT)
        self.environment = environment() | {
            **quick_cli(),
            "AWS_ENDPOINT_URL": f"http://{LOOPBACK}:{port}",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "DEPLOY_POLL_SECONDS": "0.1",
        }

    @contextmanager
    def open(self) -> Iterator[Console]:
        """The account, for the length of a block."""
        try:
            self._server.start()
            yield self
        finally:
            self._server.stop()

    def run(
        self, script: str, *words: str, typed: str = "", environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """One of the project's scripts, and what was typed when it asked."""
        return subprocess.run(
            [ROOT / "cicd" / script, *words],
            env=self.environment | dict(environment or {}),
            input=typed,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    def did(self, script: str, *words: str, environment: Mapping[str, str] | None = None) -> str:
        """What a script said that had to succeed."""
        done = self.run(script, *words, environment=environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def cicd(self, *words: str, branch: str = "main", kind: str = "production") -> str:
        """The second stage, for a branch that is new."""
        first = [word for key, value in FIRST_TIME.items() for word in ("--parameter", f"{key}={value}")]
        names = {"TARGET_BRANCH": branch, "ENVIRONMENT_TYPE": kind}
        return self.did("2-cicd/deploy-cicd.sh", "--yes", *first, *words, environment=names)

    def cli(self, *words: str) -> None:
        """One command of the AWS CLI, which has to succeed."""
        done = subprocess.run(
            ["aws", *words], env=self.environment, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stderr

    def client(self, service: str) -> Any:
        """boto3's client, to look around and to put things in place: a command of the CLI takes a second to start."""
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.environment["AWS_ENDPOINT_URL"],
            aws_access_key_id="AKIDTESTS",
            aws_secret_access_key="secret-of-the-tests",
        )

    def stacks(self) -> dict[str, str]:
        """Every stack that is there, with its status."""
        found = self.client("cloudformation").describe_stacks()["Stacks"]
        return {stack["StackName"]: stack["StackStatus"] for stack in found}

    def exports(self) -> dict[str, str]:
        """What stacks export."""
        return {each["Name"]: each["Value"] for each in self.client("cloudformation").list_exports()["Exports"]}

    def change_sets(self, stack: str) -> list[str]:
        """The change sets of a stack that wait."""
        found = self.client("cloudformation").list_change_sets(StackName=stack)["Summaries"]
        return [each["ChangeSetName"] for each in found]

    def _answers(self) -> bool:
        connection = HTTPConnection(LOOPBACK, self._port, timeout=5)
        try:
            connection.request("GET", "/moto-api/data.json")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()
