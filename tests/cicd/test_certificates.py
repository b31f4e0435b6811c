"""fetch-certificates.sh: the authorities of RDS come over TLS, and nothing else takes their place."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cicd.app import FOLDER, container, deployed
from tests.house.tree import ROOT
from tests.servers import Authority, Https

SCRIPT = FOLDER / "fetch-certificates.sh"
Fetch = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def rds(tmp_path: Path) -> Iterator[Https]:
    """A place with two authorities in one file. Its own certificate is signed by the first."""
    first, second = Authority(tmp_path), Authority(tmp_path, "second")
    with Https(first.certify("localhost"), first.file.read_bytes() + second.file.read_bytes()) as server:
        yield server


@pytest.fixture
def fetch(rds: Https, tmp_path: Path) -> Fetch:
    """`fetch("x.pem", RDS_CERTIFICATES_URL="...")`, below the test's folder."""

    def run(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        usual = {"PATH": os.environ["PATH"], "CURL_CA_BUNDLE": f"{tmp_path}/authority.pem"}
        given = usual | {"RDS_CERTIFICATES_URL": rds.url} | environ
        return subprocess.run(
            [SCRIPT, *words], cwd=tmp_path, env=given, capture_output=True, text=True, timeout=60, check=False
        )

    return run


def test_they_are_kept_where_everybody_may_read_them(fetch: Fetch, rds: Https, tmp_path: Path):
    before = os.umask(0o077)
    try:
        done = fetch("rds.pem")
    finally:
        os.umask(before)
    assert (done.returncode, done.stdout) == (0, f"rds.pem: 2 authorities, from {rds.url}\n"), done.stderr
    assert (tmp_path / "rds.pem").read_bytes() == rds.content
    assert stat.S_IMODE((tmp_path / "rds.pem").stat().st_mode) == 0o644


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<Error><Code>AccessDenied</Code></Error>",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "cut",
        "server",
    ],
)
def test_what_is_no_certificate_of_an_authority_is_refused(fetch: Fetch, rds: Https, tmp_path: Path, content):
    (tmp_path / "rds.pem").write_text("of before")
    special = {"cut": rds.content[:-40], "server": (tmp_path / "authority-localhost.crt").read_bytes()}
    rds.content = special[content] if isinstance(content, str) else content
    done = fetch("rds.pem")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"fetch-certificates.sh: what came from {rds.url} is no file of certificates\n"
    assert (tmp_path / "rds.pem").read_text() == "of before"
    assert not (tmp_path / "rds.pem.new").exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"CURL_CA_BUNDLE": "second.pem"},  # somebody else's server
        {"RDS_CERTIFICATES_URL": "http://localhost:9/bundle.pem"},
        {"RDS_CERTIFICATES_URL": "file:///etc/ssl/certs/ca-certificates.crt"},
        {"RDS_CERTIFICATES_URL": "https://localhost:9/bundle.pem"},
    ],
)
def test_they_come_over_tls_from_who_it_says_or_not_at_all(fetch: Fetch, tmp_path: Path, changes):
    done = fetch("rds.pem", **changes)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("fetch-certificates.sh: the certificates of RDS cannot be had from ")
    assert not (tmp_path / "rds.pem").exists()


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("", "truststore.pki.rds.amazonaws.com"),
        ("eu-central-1", "truststore.pki.rds.amazonaws.com"),
        ("us-gov-east-1", "truststore.pki.us-gov-west-1.rds.amazonaws.com"),
        ("cn-northwest-1", "rds-truststore.s3.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_each_partition_has_an_address_of_its_own(fetch: Fetch, tmp_path: Path, region, host):
    notes = tmp_path / "bin/curl"
    notes.parent.mkdir()
    notes.write_text(f'#!/bin/sh\necho "$*" >{tmp_path}/asked\nexit 6\n')
    notes.chmod(0o755)
    path = f"{notes.parent}:{os.environ['PATH']}"
    assert fetch("rds.pem", AWS_REGION=region, RDS_CERTIFICATES_URL="", PATH=path).returncode == 1
    asked = (tmp_path / "asked").read_text()
    assert asked.endswith(f" https://{host}/global/global-bundle.pem\n")


@pytest.mark.parametrize(("words", "status"), [(["--help"], 0), (["a", "b"], 2), (["--file"], 2)])
def test_it_explains_itself(fetch: Fetch, words, status):
    done = fetch(*words)
    assert done.returncode == status
    assert "fetch-certificates.sh" in done.stdout + done.stderr


@pytest.mark.parametrize("name", ["migrate", "aiproxy"])
def test_a_task_checks_its_database_with_what_the_image_holds(name):
    (address,) = [one["Value"] for one in container(deployed(), name)["Environment"] if one["Name"] == "DATABASE_URL"]
    assert address.endswith("?sslmode=verify-full&sslrootcert=/app/certificates/rds.pem")
    default = subprocess.run([SCRIPT, "--help"], capture_output=True, text=True, check=True).stdout
    assert "default: certificates/rds.pem" in default
    assert "\nCOPY certificates certificates\n" in (ROOT / "Dockerfile").read_text()
    assert "!certificates\n" in (ROOT / ".dockerignore").read_text()


AWS = """#!/bin/sh
case "$*" in
  *get-caller-identity*) echo 123456789012 ;;
  *AdhocRepositoryUri*) echo 127.0.0.1:5000/aiproxy-dev-adhoc ;;
  *list-exports*) echo arn:aws:iam::123456789012:role/deploy ;;
  *describe-images*) echo ImageNotFoundException >&2; exit 1 ;;
  *) echo a-password ;;
esac
"""
DOCKER = """#!/bin/sh
case $1 in
  version) echo amd64 ;;
  login) cat >/dev/null ;;
  build) ls "$TREE/certificates" >"$TREE/found"; exit 7 ;;
esac
"""  # it notes what a build would find there, and builds nothing


@pytest.mark.parametrize(
    ("words", "expected"),
    [([], False), (["--parameter", "UseDataStack=true"], True), (["--parameter", "LogLevel=INFO"], False)],
)
def test_an_adhoc_build_fetches_them_where_there_is_a_postgresql(tmp_path: Path, rds: Https, words, expected):
    tree = tmp_path / "tree"
    shutil.copytree(ROOT / "cicd", tree / "cicd")
    shutil.copytree(ROOT / "certificates", tree / "certificates", ignore=shutil.ignore_patterns("rds.pem"))
    tools = tmp_path / "tools"
    tools.mkdir()
    for name, text in {"aws": AWS, "docker": DOCKER, "git": "#!/bin/sh\necho 0123456789ab\n"}.items():
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    environ = {
        "PATH": f"{tools}:{os.environ['PATH']}",
        "TREE": str(tree),
        "AWS_REGION": "eu-central-1",
        "TARGET_BRANCH": "try-it",
        "BASE_DOMAIN_NAME": "example.org",
        "BASE_DOMAIN_HOSTED_ZONE_ID": "Z0123456789ABCDEFGHIJ",
        "RDS_CERTIFICATES_URL": rds.url,
        "CURL_CA_BUNDLE": f"{tmp_path}/authority.pem",
    }
    script = tree / "cicd/3-app/aiproxy/deploy-adhoc.sh"
    done = subprocess.run([script, "--yes", *words], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert ("rds.pem" in (tree / "found").read_text()) == expected
