"""create-environment-config.sh and empty-secrets.sh, on an AWS that moto plays."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cicd.app import FOLDER, IMAGE, TEMPLATE, deployed
from tests.cicd.aws import Account, account
from tests.cicd.rendering import Rendered

STACK = {  # as much of the application's stack as the script asks about
    "Resources": {
        "Cluster": {"Type": "AWS::ECS::Cluster"},
        "Task": {
            "Type": "AWS::ECS::TaskDefinition",
            "Properties": {"ContainerDefinitions": [{"Name": "aiproxy", "Image": "x", "Memory": 64}]},
        },
        "Service": {
            "Type": "AWS::ECS::Service",
            "Properties": {
                "Cluster": {"Ref": "Cluster"},
                "TaskDefinition": {"Ref": "Task"},
                "DesiredCount": 7,
                "ServiceName": "aiproxy-Service",
            },
        },
    },
    "Outputs": {
        "ClusterName": {"Value": {"Ref": "Cluster"}},
        "ServiceName": {"Value": {"Fn::GetAtt": ["Service", "Name"]}},
    },
}


SECRET = """
  {logical}:
    Type: AWS::SecretsManager::Secret{condition}
    Properties:
      Name: !Sub ${{EnvironmentType}}/${{SubdomainName}}.${{BaseDomainName}}/{name}
"""
FEW = {"aiproxy_api_key", "openai_api_key"}  # each costs a call of the CLI, which takes its time


@pytest.fixture
def folder(tmp_path_factory):
    """The scripts beside a template of few secrets."""
    cicd = tmp_path_factory.mktemp("cicd")
    shutil.copytree(FOLDER.parents[1] / "lib", cicd / "lib")
    copy = shutil.copytree(FOLDER, cicd / "3-app/aiproxy")
    rows = [SECRET.format(logical=name.replace("_", ""), name=name, condition="") for name in sorted(FEW)]
    rows.append(SECRET.format(logical="RedisUrl", name="redis_url", condition="\n    Condition: HasNoData"))
    (copy / "template.yml").write_text("".join(rows))
    return copy


@pytest.fixture
def cloud(folder):
    with account() as one:
        yield Cloud(one, folder)


@dataclass
class Cloud:
    account: Account
    folder: Path


def call(cloud, script, *arguments, **environ):
    names = {"BASE_DOMAIN_NAME": "example.org", "BASE_DOMAIN_HOSTED_ZONE_ID": "Z0123456789ABCDEFGHIJ"}
    return subprocess.run(
        [cloud.folder / script, *arguments],
        env={**cloud.account.environ, **names, **environ},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def create(cloud, output, *arguments, environment="production", branch="main", **environ):
    words = ["--environment", environment, "--branch", branch, "--image", IMAGE, "--output", output, *arguments]
    return call(cloud, "create-environment-config.sh", *words, **environ)


def secret_names(environment="production", stack="aiproxy"):
    kind = deployed(environment).values["EnvironmentType"]
    return {f"{kind}/{stack}.example.org/{name}" for name in FEW}


def make_secrets(cloud, names, value="none"):
    for name in names:
        given = {"SecretString": value} if value else {}
        cloud.account.client("secretsmanager").create_secret(Name=name, **given)


def test_every_secret_of_the_template_is_asked_about(cloud):
    cloud.folder = FOLDER
    done = call(cloud, "empty-secrets.sh", "production", "aiproxy.example.org")
    assert done.returncode == 0, done.stderr
    made = deployed().of_type("AWS::SecretsManager::Secret").values()
    assert set(done.stdout.split()) == {one["Name"] for one in made}


def test_empty_ones_are_listed_and_the_others_not(cloud):
    empty, full = sorted(secret_names())
    make_secrets(cloud, [empty], value=None)
    make_secrets(cloud, [full])
    done = call(cloud, "empty-secrets.sh", "production", "aiproxy.example.org")
    assert (done.returncode, done.stdout.split()) == (0, [empty])
    cloud.account.client("secretsmanager").delete_secret(SecretId=full, ForceDeleteWithoutRecovery=True)
    done = call(cloud, "empty-secrets.sh", "--states", "production", "aiproxy.example.org")
    assert done.stdout.splitlines() == [f"{empty} empty", f"{full} missing"]


def test_an_aws_that_refuses_is_no_empty_secret(cloud):
    done = call(
        cloud,
        "empty-secrets.sh",
        "production",
        "aiproxy.example.org",
        AWS_ENDPOINT_URL="http://127.0.0.1:9",
        AWS_MAX_ATTEMPTS="1",
    )
    assert done.returncode == 1
    assert "cannot be told" in done.stderr
    assert done.stdout == ""


def test_the_first_deployment_starts_no_task_and_says_which_secrets_to_set(cloud, tmp_path):
    done = create(cloud, tmp_path / "out.json")
    assert done.returncode == 0, done.stderr
    written = json.loads((tmp_path / "out.json").read_text())
    assert written["Parameters"]["DesiredTasks"] == "0"
    assert "production/aiproxy.example.org/openai_api_key" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]


def test_with_all_secrets_set_the_least_number_of_tasks_runs(cloud, tmp_path):
    make_secrets(cloud, secret_names())
    done = create(cloud, tmp_path / "out.json")
    assert done.returncode == 0, done.stderr
    first = (tmp_path / "out.json").read_text()
    assert json.loads(first)["Parameters"]["DesiredTasks"] == "2"
    create(cloud, tmp_path / "out.json")
    assert (tmp_path / "out.json").read_text() == first


@pytest.mark.parametrize(("running", "expected"), [(7, "keep"), (1, "keep"), (0, "2")])
def test_a_deployment_keeps_a_busy_service_as_large_as_it_is(cloud, tmp_path, running, expected):
    make_secrets(cloud, secret_names())
    runs(cloud, running)
    assert written(cloud, tmp_path)[:2] == (expected, "")


def runs(cloud, count, to_come=""):
    """The application's stack, with tasks that run, as a release made it."""
    body = {**STACK, "Parameters": {"SecretsToCome": {"Type": "String", "Default": to_come}}}
    body["Resources"]["Service"]["Properties"]["DesiredCount"] = count
    cloud.account.client("cloudformation").create_stack(StackName="aiproxy", TemplateBody=json.dumps(body))


def written(cloud, tmp_path):
    """DesiredTasks and SecretsToCome of the next release, and what was said about it."""
    done = create(cloud, tmp_path / "out.json")
    assert done.returncode == 0, done.stderr
    given = json.loads((tmp_path / "out.json").read_text())["Parameters"]
    return given["DesiredTasks"], given["SecretsToCome"], done.stderr


def test_tasks_start_without_a_secret_that_a_release_is_the_first_to_have(cloud, tmp_path):
    old, new = sorted(secret_names())
    make_secrets(cloud, [old])
    runs(cloud, 5)
    tasks, to_come, said = written(cloud, tmp_path)
    assert (tasks, to_come) == ("keep", "openai_api_key")
    assert said.splitlines()[1:] == [new]
    assert "read them once they are set" in said


@pytest.mark.parametrize(("value", "expected"), [(None, "openai_api_key"), ("none", "")])
def test_the_next_release_has_it_to_come_only_if_it_is_still_empty(cloud, tmp_path, value, expected):
    old, new = sorted(secret_names())
    make_secrets(cloud, [old])
    make_secrets(cloud, [new], value)
    runs(cloud, 5, "groq_api_key,openai_api_key")
    tasks, to_come, said = written(cloud, tmp_path)
    assert (tasks, to_come) == ("keep", expected)
    assert (new in said) == bool(expected)


def test_a_secret_that_lost_its_value_is_none_to_come_and_stops_nothing_that_runs(cloud, tmp_path):
    lost, new = sorted(secret_names())
    make_secrets(cloud, [lost], value=None)
    runs(cloud, 5, "not_aiproxy_api_key,aiproxy_api_key_2")
    tasks, to_come, said = written(cloud, tmp_path)
    assert (tasks, to_come) == ("keep", "openai_api_key")
    assert said.splitlines()[1] == new
    assert said.splitlines()[3] == lost
    assert "New tasks will not start" in said


def test_where_no_task_runs_nothing_is_to_come(cloud, tmp_path):
    make_secrets(cloud, sorted(secret_names())[:1])
    runs(cloud, 0, "openai_api_key")
    tasks, to_come, said = written(cloud, tmp_path)
    assert (tasks, to_come) == ("0", "")
    assert "No task is started" in said


@pytest.mark.parametrize(
    ("environment", "branch", "stack"),
    [
        ("production", "main", "aiproxy"),
        ("test", "main", "aiproxy-test"),
        ("production", "new-ui", "aiproxy-new-ui"),
        ("test", "new-ui", "aiproxy-new-ui-test"),
        ("dev", "new-ui", "aiproxy-dev-new-ui"),
    ],
)
def test_what_is_written_is_what_the_template_takes(cloud, tmp_path, environment, branch, stack):
    done = create(cloud, tmp_path / "out.json", "--architecture", "X86_64", environment=environment, branch=branch)
    assert done.returncode == 0, done.stderr
    written = json.loads((tmp_path / "out.json").read_text())
    assert written["Parameters"]["SubdomainName"] == stack
    assert written["Parameters"]["CpuArchitecture"] == "X86_64"
    assert written["Tags"]["stack"] == stack
    (task,) = Rendered(TEMPLATE, written["Parameters"]).of_type("AWS::ECS::TaskDefinition").values()
    assert {one["Image"] for one in task["ContainerDefinitions"]} == {IMAGE}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"environment": "staging"}, "dev, test or production"),
        ({"branch": "Fix/That"}, "no DNS name"),
        ({"branch": "b" * 50}, "at most 64"),
        ({"BASE_DOMAIN_NAME": ""}, "BASE_DOMAIN_NAME is not set"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_written(cloud, tmp_path, changes, said):
    done = create(cloud, tmp_path / "out.json", **changes)
    assert done.returncode == 2
    assert said in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_aws_that_cannot_be_asked_writes_nothing(cloud, tmp_path):
    done = create(cloud, tmp_path / "out.json", AWS_ENDPOINT_URL="http://127.0.0.1:9", AWS_MAX_ATTEMPTS="1")
    assert done.returncode == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("script", ["create-environment-config.sh", "empty-secrets.sh"])
def test_scripts_explain_themselves(cloud, script):
    done = call(cloud, script, "--help")
    assert done.returncode == 0
    assert script in done.stdout
    assert call(cloud, script).returncode == 2
