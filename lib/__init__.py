"""Everything below the web floor: importable without Flask."""
