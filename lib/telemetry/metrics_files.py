"""Where the workers' counts meet: one folder of memory-mapped files, one set of files for each process.

prometheus_client decides once, when it is imported, whether it counts in such files. So the folder comes
first, in the process that the workers are forked from, and nothing here imports it at the top.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prometheus_client import Metric

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_PREFIX = "aiproxy-metrics-"
_prepared: dict[int, Path] = {}
_files_change = threading.Lock()  # a reader must not see a count in two files, or in none


def prepare_multiprocess_dir() -> Path:
    """Make the folder for this server and name it in the environment; call it before the workers are forked.

    It is a new private one, removed when this process ends, unless the operator has set
    `PROMETHEUS_MULTIPROC_DIR`: then that one is emptied of an earlier run's counts. A second call in the same
    process (a reload) changes nothing. Raises RuntimeError when prometheus_client is already loaded, OSError
    when the folder cannot be made.
    """
    if os.getpid() in _prepared:
        return _prepared[os.getpid()]
    if "prometheus_client" in sys.modules:
        raise RuntimeError("the folder of the metrics must be prepared before prometheus_client is imported")
    given = os.environ.get(VARIABLE)
    # A name of our own making was inherited: from the server that this one is to replace, whose it still is.
    folder = _new_folder() if not given or Path(given).name.startswith(_PREFIX) else _emptied(Path(given))
    os.environ[VARIABLE] = str(folder)
    _prepared[os.getpid()] = folder
    return folder


def child_exit(pid: int) -> None:
    """A worker has ended: its gauges go, its counts are kept, in one file with those of all ended workers."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        return
    with _files_change:
        for path in list(Path(folder).glob(f"*_{pid}.db")):
            kind = path.name.split("_")[0]
            if kind in ("counter", "histogram"):
                _add(path, Path(folder, f"{kind}_0.db"))
            path.unlink()


def collect(folder: Path) -> list[Metric]:
    """The sums over all workers, living and ended."""
    from prometheus_client import multiprocess  # noqa: PLC0415 see the module's docstring

    collector: Any = multiprocess.MultiProcessCollector
    with _files_change:
        files = [str(path) for path in folder.glob("*.db") if path.stat().st_size]  # empty: a worker just begins it
        return list(collector.merge(files))


def _add(source: Path, total: Path) -> None:
    from prometheus_client import mmap_dict  # noqa: PLC0415 see the module's docstring

    files: Any = mmap_dict.MmapedDict
    sums = files(str(total))
    try:
        if source.stat().st_size:
            for key, value, _timestamp, _position in files.read_all_values_from_file(str(source)):
                sums.write_value(key, sums.read_value(key)[0] + value, 0.0)
    finally:
        sums.close()


def _new_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    atexit.register(_remove, folder, os.getpid())
    return folder


def _remove(folder: Path, owner: int) -> None:
    if os.getpid() == owner:  # a forked worker ends through the same door
        shutil.rmtree(folder, ignore_errors=True)


def _emptied(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in folder.glob("*.db"):
        path.unlink()
    return folder
