"""New passwords of the stores: who gets them when, and that they are seen nowhere on the way."""

from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path

import pytest

from tests.cicd.console import Console
from tests.cicd.door import Door
from tests.cicd.terminal import Terminal
from tests.cicd.test_stages import APP, DOMAIN, IMAGE
from tests.house.tree import ROOT

SCRIPT = ROOT / "cicd/rotate-password.sh"
# A program in front of each that is used, which writes down the command line that others see.
WATCHED = ("aws", "jq", "python3")
WATCH = '#!/bin/sh\nprintf "%s\\n" "{name} $*" >>{log}\nexec {real} "$@"\n'


@pytest.fixture(scope="module")
def ready(account: Console, tmp_path_factory: pytest.TempPathFactory) -> Console:
    """An account with the stores of test, and an environment that uses them."""
    account.did("1-setup/deploy-cicd-dependencies.sh", "--yes", "--with-network", "--with-data", "test")
    folder = tmp_path_factory.mktemp("app")
    words = ("--environment", "test", "--branch", "main", "--image", IMAGE, "--output", str(folder / "config.json"))
    account.did("3-app/aiproxy/create-environment-config.sh", *words, environment=DOMAIN)
    script = folder / "deploy.sh"
    script.write_text(
        f"#!/usr/bin/env bash\nset -euo pipefail\nsource {ROOT}/cicd/lib/deploy.sh\nassume_yes=1\ncheck_account\n"
        f"deploy_stack aiproxy-test {APP}/template.yml --config {folder}/config.json\n"
    )
    script.chmod(0o755)
    account.did(str(script))
    stores(account)
    return account


def store_id(account: Console, name: str) -> str:
    """The physical id of the cluster or the cache."""
    found = account.client("cloudformation").list_stack_resources(StackName="aiproxy-data-test")
    names = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in found["StackResourceSummaries"]}
    return str(names[name])


def stores(account: Console) -> None:
    """The cluster and the cache themselves, for which moto's CloudFormation has only names."""
    account.client("rds").create_db_cluster(
        DBClusterIdentifier=store_id(account, "Database"),
        Engine="aurora-postgresql",
        MasterUsername="aiproxy",
        MasterUserPassword="the-first-one",
    )
    account.client("elasticache").create_replication_group(
        ReplicationGroupId=store_id(account, "Cache"),
        ReplicationGroupDescription="x",
        Engine="valkey",
        CacheNodeType="cache.t4g.micro",
        NumCacheClusters=1,
        TransitEncryptionEnabled=True,
        AuthToken="the-first-password",
    )


@pytest.fixture
def watched(ready: Console, tmp_path: Path) -> tuple[dict[str, str], Path, Path]:
    """An environment whose command lines are written down; the file; the folder of temporary files."""
    log, programs, temporary = tmp_path / "commands", tmp_path / "bin", tmp_path / "temporary"
    log.touch()
    programs.mkdir()
    temporary.mkdir()
    for name in WATCHED:
        real = shutil.which(name, path=ready.environment["PATH"])
        (programs / name).write_text(WATCH.format(name=name, log=log, real=real))
        (programs / name).chmod(0o755)
    path = f"{programs}:{ready.environment['PATH']}"
    return ready.environment | {"PATH": path, "TMPDIR": str(temporary)}, log, temporary


def secret_of(account: Console, store: str) -> str:
    arn = account.exports()[f"AiProxyData-test-{store}SecretArn"]
    vault = account.client("secretsmanager")  # moto's finds the one that is current only when it is asked for
    return str(vault.get_secret_value(SecretId=arn, VersionStage="AWSCURRENT")["SecretString"])


@pytest.mark.parametrize(("store", "resource_name"), [("database", "Database"), ("cache", "Cache")])
def test_a_new_password(ready: Console, watched, store, resource_name):
    environment, log, temporary = watched
    before = secret_of(ready, resource_name)
    with Door(ready.environment["AWS_ENDPOINT_URL"]) as door:
        more = environment | {"AWS_ENDPOINT_URL": door.url}
        said = ready.did("rotate-password.sh", "test", store, "--yes", environment=more)
        asked = [call for call in door.asked if call.startswith(("Modify", "Put", "Update"))]
        sent = [body for action, body in door.bodies if action.startswith("Modify")]
    after = secret_of(ready, resource_name)
    password = json.loads(after)["password"] if store == "database" else after
    assert before != after
    assert len(password) >= 32
    if store == "database":
        assert json.loads(after)["username"] == "aiproxy"
        assert asked == ["PutSecretValue", "ModifyDBCluster", "UpdateSecretVersionStage", "UpdateService"]
        (change,) = sent
        assert change["MasterUserPassword"] == [password]
        assert change["DBClusterIdentifier"] == [store_id(ready, "Database")]
    else:
        change = "ModifyReplicationGroup"
        assert asked == ["PutSecretValue", change, "UpdateSecretVersionStage", "UpdateService", change]
        assert [body["AuthTokenUpdateStrategy"] for body in sent] == [["ROTATE"], ["SET"]]
        assert [body["AuthToken"] for body in sent] == [[password]] * 2
    assert "aiproxy-test: new tasks" in said
    assert "aws rds" in log.read_text() or "aws --cli-connect-timeout 10 elasticache" in log.read_text()
    for word in (password, before):
        assert word not in said
        assert word not in log.read_text()
    assert list(temporary.iterdir()) == []


def test_a_change_that_is_refused_leaves_the_password_that_holds(ready: Console, watched):
    environment, _, temporary = watched
    before = secret_of(ready, "Database")
    with Door(ready.environment["AWS_ENDPOINT_URL"]) as door:
        door.refuse("ModifyDBCluster", 1, "InvalidDBClusterStateFault", "It is busy")
        more = environment | {"AWS_ENDPOINT_URL": door.url}
        done = ready.run("rotate-password.sh", "test", "database", "--yes", environment=more)
    assert done.returncode == 1
    assert "It is busy" in done.stderr
    assert "AWSPENDING" in done.stderr
    assert secret_of(ready, "Database") == before
    assert list(temporary.iterdir()) == []


def test_stopped_in_between_it_says_so(ready: Console, watched):
    environment, _, temporary = watched
    with Door(ready.environment["AWS_ENDPOINT_URL"]) as door:
        door.hold("ModifyReplicationGroup")
        more = environment | {"AWS_ENDPOINT_URL": door.url}
        with Terminal([SCRIPT, "test", "cache", "--yes"], more) as terminal:
            door.wait_held()
            (folder,) = temporary.iterdir()
            assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in (folder,)} == {0}
            terminal.press_ctrl_c()
            door.release()
            assert terminal.ended() == 130
    assert "Half done: the new password is the version AWSPENDING" in terminal.said
    assert list(temporary.iterdir()) == []
    ready.did("rotate-password.sh", "test", "cache", "--yes")  # which is what it says to do


def test_nothing_is_changed_unasked(ready: Console):
    before = secret_of(ready, "Cache")
    said = ready.did("rotate-password.sh", "test", "cache", "--dry-run")
    assert "Tasks that start anew: aiproxy-test" in said
    declined = ready.run("rotate-password.sh", "test", "cache", typed="n\n")
    assert declined.returncode == 1
    assert secret_of(ready, "Cache") == before


@pytest.mark.parametrize("words", [(), ("test",), ("staging", "cache"), ("test", "both"), ("test", "cache", "more")])
def test_wrong_usage(account: Console, words):
    assert account.run("rotate-password.sh", *words).returncode == 2
