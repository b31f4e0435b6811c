"""gunicorn's configuration: everything comes from the settings (see src/server.py)."""

from src.server import configuration

globals().update(configuration())
