"""Write the parameters and tags of a change set as the AWS CLI reads them (--cli-input-json).

A parameter's value is the one given, else that of the configuration file, else what the stack has now; what is left
takes the template's default. A file has the form of CodePipeline's template configuration: Parameters and Tags.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path


def main(arguments: list[str] | None = None) -> int:
    """Exit code 2 for a parameter that the template does not have."""
    options = _options().parse_args(arguments)
    config = json.loads(options.config.read_text()) if options.config else {}
    values = {**config.get("Parameters", {}), **dict(pair.split("=", 1) for pair in options.given)}
    known, previous = set(options.known.split()), set(options.previous.split())
    if unknown := sorted(values.keys() - known):
        print(f"The template has no parameter {', '.join(unknown)}.", file=sys.stderr)
        return 2
    parameters = [{"ParameterKey": key, "ParameterValue": str(value)} for key, value in sorted(values.items())]
    kept = sorted((known & previous) - values.keys())
    parameters += [{"ParameterKey": key, "UsePreviousValue": True} for key in kept]
    tags = {**config.get("Tags", {}), **dict(pair.split("=", 1) for pair in options.tag)}
    named = [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
    json.dump({"Parameters": parameters, "Tags": named}, sys.stdout, indent=2)
    return 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--known", default="", help="the template's parameters, separated by blanks")
    parser.add_argument("--previous", default="", help="the parameters that the stack has now")
    parser.add_argument("--config", type=Path, help="a file with Parameters and Tags")
    parser.add_argument("--tag", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("given", nargs="*", metavar="KEY=VALUE")
    return parser


if __name__ == "__main__":
    sys.exit(main())
