"""A real registry on a loopback port, and what the build's own commands push to it."""

from __future__ import annotations

import shutil
import urllib.request
from contextlib import suppress
from pathlib import Path

from tests.cicd.app import FOLDER
from tests.cicd.aws import account
from tests.cicd.buildspec import Buildspec
from tests.house.tree import ROOT
from tests.servers import Authority, Https, Program, missing
from tests.upstream.ports import LOOPBACK, free_ports

CONFIGURATION = """
version: 0.1
log: {{ level: error }}
storage: {{ filesystem: {{ rootdirectory: {folder} }} }}
http: {{ addr: "{address}" }}
"""
REPOSITORY, REGION = "aiproxy-main", "eu-central-1"


class Registry(Program):
    """Debian's docker-registry. It lets everybody in."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("docker-registry") or missing("docker-registry", "docker-registry")
        self.port = free_ports(1)[0]
        self.address = f"{LOOPBACK}:{self.port}"
        configuration = folder / "registry.yml"
        configuration.write_text(CONFIGURATION.format(folder=folder / "images", address=self.address))
        super().__init__([program, "serve", str(configuration)], folder / "registry.log", self._answers)

    def _answers(self) -> bool:
        with suppress(OSError), urllib.request.urlopen(f"http://{self.address}/v2/", timeout=5) as answer:
            return answer.status == 200
        return False


def build_and_push(folder: Path, registry: Registry, authorities: bytes) -> str:
    """Carry out the build of a commit in a copy of the tree, but for its checks; the image that it pushed. It finds
    these authorities of databases (PEM) where it looks for RDS's."""
    source = copied(folder)
    for name in (".venv", ".venv-cicd"):
        (source / name).symlink_to(ROOT / name)
    (home := folder / "home").mkdir()
    build = Buildspec.read(FOLDER / "buildspec.yml")
    certificate = Authority(folder, "rds").certify("localhost")
    with account() as aws, Https(certificate, authorities) as rds:
        bucket = {"LocationConstraint": REGION}
        aws.client("s3").create_bucket(Bucket="artifacts", CreateBucketConfiguration=bucket)
        aws.client("ecr").create_repository(repositoryName=REPOSITORY)
        environ = {
            **aws.environ,
            "HOME": str(home),
            "RDS_CERTIFICATES_URL": rds.url,
            "CURL_CA_BUNDLE": str(folder / "rds.pem"),
            "TARGET_BRANCH": "main",
            "ENVIRONMENT_TYPE": "production",
            "ECR_REPOSITORY_URI": f"{registry.address}/{REPOSITORY}",
            "ARTIFACT_BUCKET": "artifacts",
            "BASE_DOMAIN_NAME": "example.org",
            "BASE_DOMAIN_HOSTED_ZONE_ID": "Z0123456789ABCDEFGHIJ",
        }
        done = without_checks(build).run(source, environ)
    assert done.status == 0, done.output
    return f"{registry.address}/{REPOSITORY}:0123456789ab"


def copied(folder: Path) -> Path:
    """The tree as git has it: without certificates that somebody fetched into it."""
    left = (".git", ".venv*", "var", "__pycache__", ".*_cache", ".hypothesis", "node_modules", "rds.pem")
    return shutil.copytree(ROOT, folder / "source", ignore=shutil.ignore_patterns(*left))


def without_checks(build: Buildspec) -> Buildspec:
    """The same build without the checks that CI carries out besides."""
    checks = ("bin/setup.sh", "bin/test.sh", "bin/check-delivery.sh")
    phases = {
        name: {**phase, "commands": [one for one in phase["commands"] if not one.startswith(checks)]}
        for name, phase in build.content["phases"].items()
    }
    return Buildspec({**build.content, "phases": phases})
