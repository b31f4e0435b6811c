"""Floor 0: errors, settings and the models file. Imports nothing of ours."""

from lib.base import errors
from lib.base.lifecycle import Lifecycle
from lib.base.models_file import (
    BUILT_IN_TIMEOUTS,
    Defaults,
    ModelRow,
    ModelsFile,
    ProviderRow,
    Rest,
    Target,
    Timeouts,
    load_models,
)
from lib.base.networks import Network, parse_networks
from lib.base.settings import Settings, SettingsError, load, setting_names

__all__ = [
    "BUILT_IN_TIMEOUTS",
    "Defaults",
    "Lifecycle",
    "ModelRow",
    "ModelsFile",
    "Network",
    "ProviderRow",
    "Rest",
    "Settings",
    "SettingsError",
    "Target",
    "Timeouts",
    "errors",
    "load",
    "load_models",
    "parse_networks",
    "setting_names",
]
