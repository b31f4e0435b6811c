"""Run the upstream by hand: `python -m tests.upstream --port 9000`."""

from __future__ import annotations

import argparse
import threading

from tests.upstream.behaviours import usage_lines
from tests.upstream.ports import LOOPBACK
from tests.upstream.record import Call
from tests.upstream.server import Upstream, describe


def main() -> None:
    """Serve until interrupted, with a line for each call."""
    options = _parser().parse_args()

    def tell(call: Call) -> None:
        _say(describe(call))

    with Upstream(options.host, options.port, None if options.quiet else tell) as upstream:
        _say(f"OPENAI_BASE_URL={upstream.openai_url}\nANTHROPIC_BASE_URL={upstream.url}")
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print(upstream.summary() if options.quiet else "stopped")


def _say(lines: str) -> None:
    """Several threads do: with its last line break in the same write, so that they do not mix."""
    print(lines + "\n", end="", flush=True)


def _parser() -> argparse.ArgumentParser:
    table = "\n".join(usage_lines())
    parser = argparse.ArgumentParser(
        prog="python -m tests.upstream",
        description="A vendor of models on a loopback port that misbehaves when asked to.",
        epilog="A call gets what its model's name asks for (`slow-2`, `error-503`, `stream-20-0.1`),\n"
        f"and the right answer of its path for any other name. Numbers may be left out.\n\n{table}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default=LOOPBACK, help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on (default: any that is free)")
    parser.add_argument("--quiet", action="store_true", help="no line for each call, a summary at the end")
    return parser


if __name__ == "__main__":
    main()
