#!/usr/bin/env bash
# Check what delivers the gateway: CloudFormation templates, shell scripts, the Dockerfile.
#
#   bin/check-delivery.sh                every check below; exit status 1 when one of them found something
#   bin/check-delivery.sh templates      cfn-lint and checkov over cicd/**/*template.yml
#   bin/check-delivery.sh scripts        shellcheck over every shell script of the project
#   bin/check-delivery.sh dockerfile     hadolint
#
# The tools are those of requirements-cicd.txt, in .venv-cicd; none of them asks another machine.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tools=.venv-cicd/bin
failed=()

check() { # check NAME COMMAND...: run one, remember a failure, go on
  "${@:2}" || failed+=("$1")
}

templates() {
  local found template files=()
  mapfile -t found < <(find cicd -name '*template.yml' | sort)
  for template in "${found[@]}"; do files+=(--file "$template"); done
  check cfn-lint "$tools/cfn-lint" -- "${found[@]}"
  LOG_LEVEL=ERROR check checkov "$tools/checkov" "${files[@]}" \
    --framework cloudformation --skip-download --compact --quiet
}

scripts() {
  local found
  mapfile -t found < <(grep -rIlE --exclude-dir={.git,.venv,.venv-cicd,var,node_modules} '^#!.*\b(ba)?sh$|^# shellcheck shell=' . |
    grep -vE '\.(md|py)$' | sort)
  check shellcheck "$tools/shellcheck" "${found[@]}"
}

dockerfile() {
  check hadolint "$tools/hadolint" Dockerfile
}

case ${1:-} in
  -h | --help) sed -n '2,${/^#/!q;s/^# \{0,1\}//p;}' "$0"; exit ;;
  '') templates; scripts; dockerfile ;;
  templates | scripts | dockerfile) "$1" ;;
  *) echo "bin/check-delivery.sh: unknown check $1 (see --help)" >&2; exit 2 ;;
esac
if ((${#failed[@]})); then
  echo "found something: ${failed[*]}" >&2
  exit 1
fi
