"""Branch names: what can be deployed, and how stacks are called."""

import subprocess

import pytest

from tests.house.tree import ROOT

LIBRARY = ROOT / "cicd/lib/names.sh"


def call(*words: str) -> subprocess.CompletedProcess[str]:
    script = f'set -euo pipefail; source {LIBRARY}; "$@"'
    return subprocess.run(["bash", "-c", script, "-", *words], capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize("branch", ["main", "feature-x", "v2", "2024", "testing", "a" * 40, "my-dev-box", "adhoc2"])
def test_good_names(branch):
    assert call("check_branch", branch).returncode == 0


ILL_FORMED = ["", "x", "Main", "a_b", "feature/x", "-a", "a-", "a--b", "a" * 41, "ünder", "a b", "a\n", "a;id", "$(id)"]
TAKEN = ["test", "dev", "data", "cicd", "cicd-deps", "network", "adhoc"]
TAKEN += ["dev-x", "data-test", "roles-production", "x-test", "load-test", "x-cicd"]


@pytest.mark.parametrize("branch", ILL_FORMED + TAKEN)
def test_names_that_would_take_anothers_place(branch):
    done = call("check_branch", branch)
    assert done.returncode == 2
    assert "cannot be used" in done.stderr


@pytest.mark.parametrize(
    ("branch", "kind", "stack"),
    [
        ("main", "production", "aiproxy"),
        ("main", "test", "aiproxy-test"),
        ("x1", "production", "aiproxy-x1"),
        ("x1", "test", "aiproxy-x1-test"),
        ("x1", "development", "aiproxy-dev-x1"),
        ("main", "development", "aiproxy-dev-main"),
    ],
)
def test_stacks(branch, kind, stack):
    assert call("app_stack", branch, kind).stdout.strip() == stack


def test_no_two_good_branches_share_a_stack():
    fixed = {"aiproxy-cicd-deps", "aiproxy-network", "aiproxy-data-test", "aiproxy-data-production"}
    fixed |= {"aiproxy-roles-development", "aiproxy-roles-production"}
    seen: dict[str, tuple[str, str]] = {}
    for branch in ("main", "x1", "x1-y", "testing", "dev1", "database", "cicd1", "production", "roles"):
        assert call("check_branch", branch).returncode == 0
        names = {(branch, kind): call("app_stack", branch, kind).stdout.strip() for kind in ("production", "test")}
        names[branch, "development"] = call("app_stack", branch, "development").stdout.strip()
        names[branch, "cicd"] = call("cicd_stack", branch).stdout.strip()
        for who, name in names.items():
            assert name not in fixed, who
            assert name not in seen, (who, seen[name])
            assert len(name) <= 63
            own = name.startswith(call("roles_prefix", "development").stdout.strip())
            assert own == (who[1] == "development"), "the roles of development reach what is named so"
            seen[name] = who


def test_a_host_that_no_certificate_can_carry():
    assert call("check_host", "aiproxy", "example.org").returncode == 0
    done = call("check_host", "aiproxy-" + "a" * 40 + "-test", "example.org")
    assert (done.returncode, "at most 64" in done.stderr) == (2, True)
