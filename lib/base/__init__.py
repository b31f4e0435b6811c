"""Floor 0: errors and settings. Imports nothing of ours."""

from lib.base import errors
from lib.base.settings import Settings, SettingsError, load, setting_names

__all__ = ["Settings", "SettingsError", "errors", "load", "setting_names"]
