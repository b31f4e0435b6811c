"""Folders of S3, on an S3 that is imitated by moto."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lib.base.errors import AIProxyError
from lib.net import S3Folder, aws
from lib.net.s3 import UnsafeName
from tests.upstream.aws_environment import isolated_aws


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """`bucket.put_object(Key=..., Body=...)`."""
    from moto import mock_aws

    with isolated_aws(monkeypatch), mock_aws():
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        client = aws.s3()
        client.create_bucket(Bucket="lessons")

        class Bucket:
            def put(self, key: str, body: bytes) -> None:
                client.put_object(Bucket="lessons", Key=key, Body=body)

            def drop(self, key: str) -> None:
                client.delete_object(Bucket="lessons", Key=key)

        yield Bucket()


def contents(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name != ".s3.json")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


@pytest.mark.parametrize(("url", "bucket", "prefix"), [
    ("s3://lessons", "lessons", ""),
    ("s3://lessons/", "lessons", ""),
    ("s3://lessons/a/b/", "lessons", "a/b/"),
])  # fmt: skip
def test_addresses(url: str, bucket: str, prefix: str) -> None:
    assert S3Folder.parse(url) == S3Folder(bucket, prefix)


@pytest.mark.parametrize("url", ["s3://", "s3:///x", "https://lessons/x", "s3://UPPER/x", "lessons"])
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(ValueError, match="s3://bucket"):
        S3Folder.parse(url)


def test_folders(bucket: Any) -> None:
    for key in ("x/one/L1/a.js", "x/one/L2/a.js", "x/two/b.js", "x/file", "y/three/c.js"):
        bucket.put(key, b"")
    assert S3Folder("lessons", "x/").folders() == ["one", "two"]
    assert S3Folder("lessons", "").folders() == ["x", "y"]


def test_a_copy_is_brought_up_to_date(bucket: Any, tmp_path: Path) -> None:
    bucket.put("x/one/L1/a.js", b"a")
    bucket.put("x/one/L1/b.js", b"b")
    bucket.put("x/one/", b"")
    bucket.put("x/one-more/c.js", b"c")
    folder = S3Folder.parse("s3://lessons/x").below("one")
    folder.copy(tmp_path)
    assert contents(tmp_path) == {"L1/a.js": b"a", "L1/b.js": b"b"}
    bucket.put("x/one/L1/a.js", b"a2")
    bucket.drop("x/one/L1/b.js")
    (tmp_path / "L1/ours.json").write_bytes(b"{}")
    folder.copy(tmp_path)
    assert contents(tmp_path) == {"L1/a.js": b"a2", "L1/ours.json": b"{}"}


def test_only_what_changed_is_fetched(bucket: Any, tmp_path: Path) -> None:
    bucket.put("x/a.js", b"a")
    folder = S3Folder("lessons", "x/")
    folder.copy(tmp_path)
    (tmp_path / "a.js").write_bytes(b"edited here")
    folder.copy(tmp_path)
    assert contents(tmp_path) == {"a.js": b"edited here"}
    folder.copy(tmp_path, anew=True)
    assert contents(tmp_path) == {"a.js": b"a"}


def test_more_than_one_page(bucket: Any, tmp_path: Path) -> None:
    for number in range(1001):
        bucket.put(f"x/{number}.js", b"")
    S3Folder("lessons", "x/").copy(tmp_path)
    assert len(contents(tmp_path)) == 1001


@pytest.mark.parametrize("key", ["x/../../up.js", "x//etc/up.js"])
def test_names_that_lead_elsewhere(bucket: Any, tmp_path: Path, key: str) -> None:
    bucket.put(key, b"")
    with pytest.raises(UnsafeName):
        S3Folder("lessons", "x/").copy(tmp_path / "copy")
    assert contents(tmp_path) == {}


def test_a_folder_that_leads_elsewhere(bucket: Any) -> None:
    bucket.put("x/../up.js", b"")
    with pytest.raises(UnsafeName):
        S3Folder("lessons", "x/").folders()


def test_no_such_bucket(bucket: Any, tmp_path: Path) -> None:
    with pytest.raises(AIProxyError):
        S3Folder("absent", "").copy(tmp_path)
