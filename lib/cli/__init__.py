"""Floor 6: what is run from the command line, each with `python -m lib.cli.<name>`."""
