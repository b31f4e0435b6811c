#!/usr/bin/env bash
# Start the gateway in the foreground. Ctrl-C, or SIGTERM, stops it gracefully.
#
#   bin/run.sh                           listens on 127.0.0.1:5000; with no vendor key the built-in `echo` model answers
#   bin/run.sh --check                   print the effective settings, secrets masked; fails when something is wrong
#   bin/run.sh --workers 1 --reload      further arguments go to gunicorn
#
# Settings are read from the environment and, when it exists, from config.txt (see config.txt.sample).
# The first start makes .venv (see bin/setup.sh --help); later starts need no network.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

case ${1:-} in
  -h | --help) sed -n '2,${/^#/!q;s/^# \{0,1\}//p;}' "$0"; exit ;;
esac

bin/setup.sh

if [[ ${1:-} == --check ]]; then
  exec .venv/bin/python -m lib.cli.check "${@:2}"
fi
exec .venv/bin/python .venv/bin/gunicorn --config gunicorn.conf.py "$@"
