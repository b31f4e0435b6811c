"""The buildspecs, carried out: every phase, on an AWS that moto plays, with an engine that only takes notes.

The same phases run with a real engine and a real registry where there is one (tests/cicd/buildspec.py).
"""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from tests.cicd.app import FOLDER, TEMPLATE
from tests.cicd.aws import account
from tests.cicd.buildspec import Buildspec, run
from tests.cicd.quick_cli import QUICK
from tests.cicd.rendering import Rendered
from tests.house.tree import ROOT
from tests.servers import Authority, Https

NAMES = ["buildspec.yml", "pr-buildspec.yml", "integration-test-buildspec.yml"]
NOTE = '#!/usr/bin/env bash\necho "{name} $*" >>"$CODEBUILD_SRC_DIR/calls"\n{more}\n'
PROJECT = {  # what the project of 2-cicd puts into the environment
    "TARGET_BRANCH": "main",
    "ENVIRONMENT_TYPE": "production",
    "ECR_REPOSITORY_URI": "127.0.0.1:5000/aiproxy-main",
    "ARTIFACT_BUCKET": "artifacts",
    "BASE_DOMAIN_NAME": "example.org",
    "BASE_DOMAIN_HOSTED_ZONE_ID": "Z0123456789ABCDEFGHIJ",
}
IMAGE = "127.0.0.1:5000/aiproxy-main:0123456789ab"


def read(name):
    return Buildspec.read(FOLDER / name)


@pytest.fixture
def source(tmp_path):
    """The project as CodeBuild unpacks it, with the environments that are already there."""
    kept = shutil.ignore_patterns(".git", ".venv*", "var", "__pycache__", ".*_cache", ".hypothesis", "node_modules")
    copy = shutil.copytree(ROOT, tmp_path / "source", ignore=kept)
    (copy / ".venv").symlink_to(ROOT / ".venv")
    link_tools(copy / ".venv-cicd")
    return copy


def link_tools(folder):
    """The environment of the delivery's tools, in which the AWS CLI starts quickly."""
    for place in (folder, folder / "bin"):
        place.mkdir()
        for path in (ROOT / place.relative_to(folder.parent)).iterdir():
            if path.name not in ("bin", "aws"):
                (place / path.name).symlink_to(path)
    (folder / "bin/aws").symlink_to(QUICK / "aws")


@pytest.fixture
def tools(source):
    """An engine, and the checks that other tests carry out, that take notes."""
    folder = source.parent / "bin"
    folder.mkdir()

    def make(name, more="", where=folder):
        (where / name).write_text(NOTE.format(name=name, more=more))
        (where / name).chmod(0o755)

    make("docker", "case $1 in login) cat >/dev/null ;; esac")
    make("test.sh", where=source / "bin")
    make("try-image.sh", where=source / "cicd/3-app/aiproxy")
    return folder, make


@pytest.fixture
def cloud():
    with account() as one:
        one.client("s3").create_bucket(
            Bucket="artifacts", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        one.client("ecr").create_repository(repositoryName="aiproxy-main")
        yield one


@pytest.fixture
def rds(tmp_path):
    """Where the authorities of databases are; a build trusts whoever this is."""
    authority = Authority(tmp_path)
    with Https(authority.certify("localhost"), authority.file.read_bytes()) as server:
        yield server


def environ(cloud, tools, rds=None, **more):
    there = {"RDS_CERTIFICATES_URL": rds.url, "CURL_CA_BUNDLE": str(tools[0].parent / "authority.pem")} if rds else {}
    return {**cloud.environ, "PATH": f"{tools[0]}:{cloud.environ['PATH']}", **PROJECT, **there, **more}


def calls(source):
    return (source / "calls").read_text().splitlines()


@pytest.mark.parametrize("name", NAMES)
def test_a_failure_ends_the_build(name):
    phases = read(name).content["phases"]
    assert [phase for phase, one in phases.items() if one.get("on-failure") != "ABORT"] == []


@pytest.mark.parametrize("name", NAMES)
def test_commands_are_sound_shell(name, tmp_path):
    lines = [line if line.endswith("\n") else f"{line}\n" for line in read(name).commands()]
    script = tmp_path / "commands.sh"
    script.write_text("#!/usr/bin/env bash\n# shellcheck disable=SC2086\n" + "".join(lines))
    done = subprocess.run([ROOT / ".venv-cicd/bin/shellcheck", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_a_build_pushes_the_commits_image_and_packages_what_is_deployed(source, cloud, tools, rds):
    done = read("buildspec.yml").run(source, environ(cloud, tools, rds))
    assert done.status == 0, done.output
    assert (source / "certificates/rds.pem").read_bytes() == rds.content
    assert calls(source) == [
        "test.sh --lint",
        "docker login --username AWS --password-stdin 127.0.0.1:5000",
        f"docker build --target server --tag {IMAGE} .",
        f"try-image.sh {IMAGE}",
        "test.sh --container",
        f"docker push {IMAGE}",
    ]
    kept = [str(path) for path in read("buildspec.yml").artifacts(source)]
    assert kept == ["packaged-app-template.yml", "production.config.json", "test.config.json"]
    for name in ("test", "production"):
        written = json.loads((source / f"package/{name}.config.json").read_text())
        assert written["Parameters"]["AppImageUri"] == IMAGE
        assert written["Parameters"]["DesiredTasks"] == "0"
        assert Rendered(TEMPLATE, written["Parameters"]).of_type("AWS::ECS::Service")


def test_without_the_certificates_of_databases_nothing_is_built(source, cloud, tools, rds):
    rds.content = b"<html>not here</html>"
    done = read("buildspec.yml").run(source, environ(cloud, tools, rds))
    assert done.status == 1
    assert f"what came from {rds.url} is no file of certificates" in done.output
    assert not (source / "calls").exists()


def test_a_branch_for_development_has_one_environment(source, cloud, tools, rds):
    more = {"ENVIRONMENT_TYPE": "development", "TARGET_BRANCH": "new-ui"}
    tools[1]("empty-secrets.sh", where=source / "cicd/3-app/aiproxy")
    done = read("buildspec.yml").run(source, environ(cloud, tools, rds, **more))
    assert done.status == 0, done.output
    kept = [str(path) for path in read("buildspec.yml").artifacts(source)]
    assert kept == ["dev.config.json", "packaged-app-template.yml"]
    written = json.loads((source / "package/dev.config.json").read_text())
    assert written["Parameters"]["SubdomainName"] == "aiproxy-dev-new-ui"
    assert written["Parameters"]["DesiredTasks"] == "1"


@pytest.mark.parametrize(
    ("name", "arguments", "never"),
    [
        ("test.sh", "--lint", "docker"),
        ("docker", "build", "docker push"),
        ("try-image.sh", "127", "docker push"),
        ("test.sh", "--container", "docker push"),
    ],
)
def test_nothing_is_pushed_after_a_failure(source, cloud, tools, rds, name, arguments, never):
    where = {"docker": tools[0], "test.sh": source / "bin"}.get(name, source / "cicd/3-app/aiproxy")
    tools[1](name, f'case "$*" in {arguments}*) exit 7 ;; login*) cat >/dev/null ;; esac', where)
    done = read("buildspec.yml").run(source, environ(cloud, tools, rds))
    assert done.status == 7
    assert [call for call in calls(source) if call.startswith(never)] == []
    assert not (source / "package").exists()


def test_a_pull_request_needs_no_credential_and_pushes_nothing(source, tools):
    done = read("pr-buildspec.yml").run(source, {"PATH": f"{tools[0]}:/usr/bin:/bin"})
    assert done.status == 0, done.output
    assert calls(source) == [
        "test.sh --lint",
        "docker build --target server --tag aiproxy:pull-request .",
        "try-image.sh aiproxy:pull-request",
        "test.sh --container",
    ]
    text = (FOLDER / "pr-buildspec.yml").read_text()
    assert [word for word in ("aws ", "secret", "push ", "login", "artifacts") if f"- {word}" in text] == []


def made(cloud, stack, tasks):
    """The application's stack, as much of it as is asked about."""
    body = {"Parameters": {"DesiredTasks": {"Type": "String"}}, "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    given = [{"ParameterKey": "DesiredTasks", "ParameterValue": tasks}]
    cloud.client("cloudformation").create_stack(StackName=stack, TemplateBody=json.dumps(body), Parameters=given)


def deployed(source, cloud, tools, **more):
    """The step after a deployment."""
    given = {"APP_SUBDOMAIN": "aiproxy-test", "ENVIRONMENT_TYPE": "test", "TEST_KIND": "integration", **more}
    return read("integration-test-buildspec.yml").run(source, environ(cloud, tools, **given))


@pytest.mark.parametrize(
    ("environment", "label", "kind", "more"),
    [("test", "aiproxy-test", "integration", ""), ("production", "aiproxy", "smoke", " --smoke")],
)
def test_after_a_deployment_live_tests_run_against_it(source, cloud, tools, environment, label, kind, more):
    made(cloud, label, "2")
    key = f"{environment}/{label}.example.org/aiproxy_api_key"
    cloud.client("secretsmanager").create_secret(Name=key, SecretString="sk-of-the-gateway,sk-before")
    tools[1]("live-test", 'echo "key $AIPROXY_API_KEY" >>"$CODEBUILD_SRC_DIR/calls"', source / "bin")
    tools[1]("empty-secrets.sh", where=source / "cicd/3-app/aiproxy")
    done = deployed(source, cloud, tools, APP_SUBDOMAIN=label, ENVIRONMENT_TYPE=environment, TEST_KIND=kind)
    assert done.status == 0, done.output
    assert calls(source) == [
        f"empty-secrets.sh {environment} {label}.example.org",
        f"live-test --url https://{label}.example.org --env {environment} --wait 300{more}",
        "key sk-of-the-gateway",
    ]
    assert "sk-" not in done.output


def test_a_secret_that_is_still_to_come_is_no_reason_to_fail(source, cloud, tools):
    made(cloud, "aiproxy-test", "2")
    key = "test/aiproxy-test.example.org/aiproxy_api_key"
    cloud.client("secretsmanager").create_secret(Name=key, SecretString="sk-of-the-gateway")
    tools[1]("live-test", where=source / "bin")
    tools[1]("empty-secrets.sh", "echo test/aiproxy-test.example.org/xai_api_key", source / "cicd/3-app/aiproxy")
    done = deployed(source, cloud, tools)
    assert done.status == 0, done.output
    assert (
        "run without these secrets, which have no value yet:\ntest/aiproxy-test.example.org/xai_api_key" in done.output
    )
    assert len(calls(source)) == 2


def test_without_the_key_of_the_gateway_nothing_is_tested(source, cloud, tools):
    made(cloud, "aiproxy-test", "2")
    tools[1]("live-test", where=source / "bin")
    tools[1]("empty-secrets.sh", where=source / "cicd/3-app/aiproxy")
    done = deployed(source, cloud, tools)
    assert done.status != 0
    assert len(calls(source)) == 1


def test_a_deployment_without_secrets_fails_with_their_list(source, cloud, tools):
    made(cloud, "aiproxy-test", "0")
    tools[1]("live-test", where=source / "bin")
    tools[1]("empty-secrets.sh", "echo test/aiproxy-test.example.org/openai_api_key", source / "cicd/3-app/aiproxy")
    done = deployed(source, cloud, tools)
    assert done.status == 1
    assert "test/aiproxy-test.example.org/openai_api_key" in done.output
    assert len(calls(source)) == 1


def test_the_runner_keeps_what_a_command_sets_and_says_which_failed(tmp_path):
    done = run(["a=1", "export b=2", 'test "$a$b" = 12', "(exit 3)", "echo never"], tmp_path, {})
    assert done.status == 3
    assert done.failed_at == "(exit 3)"
    assert "never" not in done.output


def test_the_runner_passes_on_no_credential_of_this_machine(tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-this-machine")
    assert "of-this-machine" not in run(["env"], tmp_path, {}).output
