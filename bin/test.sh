#!/usr/bin/env bash
# Lint, types, the import rule, the checks of what delivers, and all tests.
#
#   bin/test.sh                        in the container when a Docker engine answers, in .venv otherwise
#   bin/test.sh --local                in .venv
#   bin/test.sh --container            in the container
#   bin/test.sh --build                nothing but the container's image
#   bin/test.sh --lint                 in .venv, everything but the tests
#   bin/test.sh [where] -k sse -x      further arguments go to pytest
#   bin/test.sh [where] -n 0           one process; otherwise pytest-xdist runs two more than there are cores
#
# The container is the Dockerfile's `test` target. pip's index is taken from the environment (PIP_INDEX_URL,
# PIP_EXTRA_INDEX_URL, PIP_TRUSTED_HOST); words in DOCKER_BUILD_FLAGS are handed to `docker build`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

where=
case ${1:-} in
  -h | --help) sed -n '2,${/^#/!q;s/^# \{0,1\}//p;}' "$0"; exit ;;
  --local | --container | --build | --lint) where=$1; shift ;;
esac
if [[ -z $where ]]; then
  if docker info >/dev/null 2>&1; then where=--container; else where=--local; fi
fi

step() { # step NAME COMMAND...: run one check, remember a failure, go on
  echo "== $1"
  "${@:2}" || failed+=("$1")
}

declare -A begun
begin() { # begin NAME COMMAND...: the same beside what runs already; `finish NAME` shows what it said
  "${@:2}" >"$said/$1" 2>&1 &
  begun[$1]=$!
}

finish() {
  local status=0
  wait "${begun[$1]}" || status=$?
  step "$1" show "$1" $status
}

show() { cat "$said/$1"; return "$2"; }

build() {
  local name pip=()
  for name in PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_TRUSTED_HOST; do
    [[ -z ${!name:-} ]] || pip+=(--build-arg "$name")
  done
  # shellcheck disable=SC2086 # words, on purpose
  docker build --target test --tag aiproxy-test "${pip[@]}" ${DOCKER_BUILD_FLAGS:-} .
}

in_container() {
  build
  exec docker run --rm --init aiproxy-test bin/test.sh --local "$@"
}

in_venv() {
  local python=.venv/bin/python name
  unset PYTHONDONTWRITEBYTECODE # many processes import the same modules
  failed=()
  said=$(mktemp -d)
  trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$said"' EXIT
  bin/setup.sh --dev
  bin/setup.sh --cicd
  begin lint "$python" -m ruff check .
  begin format "$python" -m ruff format --check .
  begin types "$python" -m mypy
  begin imports "$python" .venv/bin/lint-imports
  begin delivery bin/check-delivery.sh
  for name in lint format types imports delivery; do finish $name; done
  [[ $where == --lint ]] || step tests "$python" -m pytest -n auto "$@"
  [[ ${#failed[@]} == 0 ]] && return
  echo "failed: ${failed[*]}" >&2
  return 1
}

case $where in
  --container) in_container "$@" ;;
  --build) build ;;
  *) in_venv "$@" ;;
esac
