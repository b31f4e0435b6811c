"""The web floor: guards, error families, helpers, health, documents, and how the server starts."""
