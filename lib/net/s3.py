"""Folders in S3: what they hold, and a copy of one on disk. Credentials and region are AWS's own settings."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from lib.net import aws

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

SCHEME = "s3://"
VERSIONS = ".s3.json"  # beside a copy: the version (ETag) of each file, by name
_URL = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(.*))?")


class UnsafeName(ValueError):
    """An object's name leads out of its folder."""


@dataclass(frozen=True, slots=True)
class S3Folder:
    """All objects whose key begins with `prefix`, which is empty or ends with a slash."""

    bucket: str
    prefix: str

    @classmethod
    def parse(cls, url: str) -> S3Folder:
        """Read `s3://bucket/prefix`. Raises `ValueError`."""
        found = _URL.fullmatch(url)
        if found is None:
            raise ValueError("must be s3://bucket or s3://bucket/prefix")
        prefix = (found[2] or "").strip("/")
        return cls(found[1], f"{prefix}/" if prefix else "")

    def below(self, name: str) -> S3Folder:
        """A folder in this one."""
        return S3Folder(self.bucket, f"{self.prefix}{name}/")

    def folders(self) -> list[str]:
        """The names of the folders in it. Raises the gateway's errors for failures of AWS, `UnsafeName`."""
        with aws.vendor_errors("S3"):
            pages = aws.s3().get_paginator("list_objects_v2")
            found = pages.paginate(Bucket=self.bucket, Prefix=self.prefix, Delimiter="/")
            keys = [each.get("Prefix", "") for page in found for each in page.get("CommonPrefixes", [])]
        names = sorted(key.removeprefix(self.prefix).rstrip("/") for key in keys)
        return list(map(self._safe, names))

    def copy(self, folder: Path, *, anew: bool = False) -> None:
        """Bring `folder` up to date: what changed is fetched, what is gone is removed, what is not ours stays.

        `anew` fetches all of it. Raises the gateway's errors for failures of AWS, `UnsafeName` and `OSError`.
        """
        folder.mkdir(parents=True, exist_ok=True)
        have = {} if anew else _versions(folder)
        with aws.vendor_errors("S3"):
            client = aws.s3()
            there = self._listed(client)
            for name, version in there.items():
                if have.get(name) != version or not (folder / name).is_file():
                    _fetch(client, self.bucket, self.prefix + name, folder / name)
        for name in _versions(folder).keys() - there.keys():
            (folder / name).unlink(missing_ok=True)
        (folder / VERSIONS).write_text(json.dumps(there, indent=2))

    def _listed(self, client: S3Client) -> dict[str, str]:
        """The version of every object, by its name in this folder."""
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix)
        found = [item for page in pages for item in page.get("Contents", [])]
        names = {item.get("Key", "").removeprefix(self.prefix): item.get("ETag", "") for item in found}
        return {self._safe(name): version for name, version in names.items() if name and not name.endswith("/")}

    def _safe(self, name: str) -> str:
        """A name of what is in this folder. Raises `UnsafeName`."""
        if not _is_safe(name):
            raise UnsafeName(f"s3://{self.bucket}/{self.prefix} has an object whose name leads out of its folder")
        return name


def _fetch(client: S3Client, bucket: str, key: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(client.get_object(Bucket=bucket, Key=key)["Body"].read())


def _is_safe(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return not name.startswith("/") and ".." not in parts and "\\" not in name and "\0" not in name


def _versions(folder: Path) -> dict[str, str]:
    try:
        found = json.loads((folder / VERSIONS).read_bytes())
    except (OSError, ValueError):
        return {}
    return {str(name): str(version) for name, version in found.items() if _is_safe(str(name))}
