#!/usr/bin/env bash
# Pin every dependency with hashes: requirements*.in -> requirements*.txt.
#
#   bin/lock.sh               add what the .in files newly ask for, keep every other pin
#   bin/lock.sh --upgrade     move every pin to the newest release that fits
#   bin/lock.sh --upgrade-package NAME     move one
#
# The result serves Python 3.11 to 3.13 on Linux (x86-64, arm64) and macOS. The index and its certificates come
# from uv's own environment variables (UV_DEFAULT_INDEX, SSL_CERT_FILE, ...) and leave no trace in the files.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

uv_version=0.13.8

case ${1:-} in
  -h | --help) sed -n '2,${/^#/!q;s/^# \{0,1\}//p;}' "$0"; exit ;;
esac

tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
python3 -m venv "$tools"
"$tools/bin/pip" install --quiet --disable-pip-version-check "uv==$uv_version"

pin() { # pin NAME FLAG...: NAME.in -> NAME.txt
  local name=$1
  shift
  "$tools/bin/uv" --no-config pip compile --quiet --universal --python-version 3.11 --generate-hashes \
    --no-emit-index-url --custom-compile-command bin/lock.sh --output-file "$name.txt" "$@" "$name.in"
  echo "$name.txt: $(grep -c '==' "$name.txt") packages"
}

for name in requirements requirements-dev requirements-cicd requirements-build requirements-fast; do
  pin "$name" "$@"
done
