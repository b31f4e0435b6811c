"""The vendors' official SDKs, unmodified, on a running gunicorn: what users of the gateway do."""
