"""The process that fetches secrets for another one, which so never loads boto3: 60 MB and 0.3 s are gone with it.

`python -m lib.net.fetch_secrets` reads an `Asked` and writes an `Answer`, as JSON, through pipes.
"""

from __future__ import annotations

import sys

import msgspec

from lib.net.secrets_manager import Asked, fetch


def main() -> None:
    """Answer one question."""
    asked = msgspec.json.decode(sys.stdin.buffer.read(), type=Asked)
    sys.stdout.buffer.write(msgspec.json.encode(fetch(asked)))


if __name__ == "__main__":
    main()
