"""Where datasets, experiments and releases are: folders on disk, or in S3, from where they are copied."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lib.assessment.measure.faults import InputError
from lib.base.errors import AIProxyError
from lib.net import S3Folder


@dataclass(frozen=True, slots=True)
class Place:
    """A folder of datasets or of experiments, `text` as it was given. What is in S3 is copied below `copies`.

    A copy is brought up to date each time; `anew` fetches all of it again.
    """

    text: str
    copies: Path = Path("var/s3")
    anew: bool = False

    def names(self) -> list[str]:
        """What is in it. Raises `InputError`."""
        if self._is_s3:
            with self._failures():
                return S3Folder.parse(self.text).folders()
        folder = Path(self.text)
        if not folder.is_dir():
            raise InputError(f"{self.text}: there is no such folder")
        return sorted(path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))

    def fetch(self, name: str) -> Path:
        """The folder of that name, on disk. Raises `InputError`."""
        if not self._is_s3:
            return Path(self.text) / name
        with self._failures():
            folder = S3Folder.parse(self.text).below(name)
            local = self.copies / folder.bucket / folder.prefix
            folder.copy(local, anew=self.anew)
        return local

    @property
    def _is_s3(self) -> bool:
        return self.text.startswith("s3://")

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except AIProxyError as error:
            raise InputError(f"{self.text}: {error.detail or error.message}") from None
        except (ValueError, OSError) as error:
            raise InputError(f"{self.text}: {error}") from None
