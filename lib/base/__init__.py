"""Floor 0: errors, settings, money, tables and the models file. Imports nothing of ours."""

from lib.base import errors, money
from lib.base.budget import PERIODS, Budget, Period, period
from lib.base.lifecycle import Lifecycle
from lib.base.models_file import (
    BUILT_IN_TIMEOUTS,
    AgentsRow,
    Defaults,
    ModelRow,
    ModelsFile,
    ProviderRow,
    Rest,
    Target,
    Timeouts,
    load_models,
)
from lib.base.moments import parse_length, parse_moment, show_moment
from lib.base.names import MAX_NAME, is_run_name
from lib.base.networks import Network, is_loopback, is_this_machine, parse_networks
from lib.base.price_rows import PriceRow, is_pattern
from lib.base.settings import (
    LOCALHOST,
    VENDOR_SETTINGS,
    Settings,
    SettingsError,
    load,
    secret_settings,
    setting_names,
)
from lib.base.sources import Sources, read_sources
from lib.base.tables import table

__all__ = [
    "BUILT_IN_TIMEOUTS",
    "LOCALHOST",
    "MAX_NAME",
    "PERIODS",
    "VENDOR_SETTINGS",
    "AgentsRow",
    "Budget",
    "Defaults",
    "Lifecycle",
    "ModelRow",
    "ModelsFile",
    "Network",
    "Period",
    "PriceRow",
    "ProviderRow",
    "Rest",
    "Settings",
    "SettingsError",
    "Sources",
    "Target",
    "Timeouts",
    "errors",
    "is_loopback",
    "is_pattern",
    "is_run_name",
    "is_this_machine",
    "load",
    "load_models",
    "money",
    "parse_length",
    "parse_moment",
    "parse_networks",
    "period",
    "read_sources",
    "secret_settings",
    "setting_names",
    "show_moment",
    "table",
]
