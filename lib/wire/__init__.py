"""The dialects as pure functions: no socket, no clock, no setting."""

from lib.wire.paths import PATHS, Dialect, Path, Shape

__all__ = ["PATHS", "Dialect", "Path", "Shape"]
