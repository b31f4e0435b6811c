"""The project's own files, without what is generated or local."""

from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
NOT_OURS = {
    *(".git", ".venv", ".venv-cicd", "__pycache__", "node_modules"),
    *("var", "config.txt", "access.toml", "live-test.toml"),
}


def _ours(path: Path) -> bool:
    cache = path.name.startswith(".") and path.name.endswith("_cache")
    return path.name not in NOT_OURS and not cache and path.name != ".hypothesis"


def files(folder: Path = ROOT) -> Iterator[Path]:
    """Every file of the project below `folder`."""
    for path in sorted(folder.iterdir()):
        if not _ours(path):
            continue
        if path.is_dir():
            yield from files(path)
        else:
            yield path


def python_files(*folders: str) -> Iterator[Path]:
    """Every Python module below these folders of the project."""
    for folder in folders:
        yield from (path for path in files(ROOT / folder) if path.suffix == ".py")
