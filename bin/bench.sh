#!/usr/bin/env bash
# Measure the gateway of this checkout, beside nginx as a plain proxy when that is installed. Linux; about a minute.
#
#   bin/bench.sh                       a table on standard output, progress on standard error
#   bin/bench.sh --json                one JSON object instead
#   bin/bench.sh --seconds N           for each measurement of each server (default: 5)
#   bin/bench.sh --streams N,N         streams held open at once, in turn (default: 100,1000)
#   bin/bench.sh --no-nginx            not even when it is installed
#   bin/bench.sh --url URL             a gateway that runs already, on this machine or not; may be repeated
#   bin/bench.sh --peer NAME=URL=PID   the same with the root of its process tree: CPU and memory are read as well
#
# A peer must forward to the benchmark's upstream, so fix its port: --upstream-port PORT gives
# http://127.0.0.1:PORT/v1. --key KEY and --model NAME are sent to all servers. What the figures mean: bench/README.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

case ${1:-} in
  -h | --help) sed -n '2,${/^#/!q;s/^# \{0,1\}//p;}' "$0"; exit ;;
esac

bin/setup.sh
exec .venv/bin/python -m bench.run "$@"
