#!/usr/bin/env bash
# Make .venv and install the pinned requirements, unless that is already done. bin/run.sh and bin/test.sh call this.
#
#   bin/setup.sh          what the server needs
#   bin/setup.sh --dev    and what the checks and tests need
#   bin/setup.sh --cicd   nothing of that, but what checks and carries out the delivery, in .venv-cicd
#
# The first Python from 3.11 to 3.13 on the PATH is used, or a newer one when there is no other; PYTHON names
# another. pip's own settings (PIP_INDEX_URL, PIP_CERT, ...) are honoured. When nothing changed, nothing is fetched.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

server=(requirements.txt requirements-build.txt requirements-fast.txt)
wanted=("${server[@]}")
venv=.venv
case ${1:-} in
  -h | --help) sed -n '2,${/^#/!q;s/^# \{0,1\}//p;}' "$0"; exit ;;
  --dev) wanted+=(requirements-dev.txt) ;;
  --cicd) venv=.venv-cicd wanted=(requirements-cicd.txt) ;;
  ?*) echo "bin/setup.sh: unknown argument $1 (see --help)" >&2; exit 2 ;;
esac
stamp=$venv/.installed-${#wanted[@]} # one for the server's requirements, another with the checks' ones

state() { # what a stamp holds when the installation is complete and up to date
  $venv/bin/python -V && cksum "$@"
}

find_python() {
  local below name names=(python3 python3.13 python3.12 python3.11)
  [[ -n ${PYTHON:-} ]] && names=("$PYTHON")
  for below in 14 99; do
    for name in "${names[@]}"; do
      "$name" -c "import sys; sys.exit(not (3, 11) <= sys.version_info < (3, $below))" 2>/dev/null || continue
      echo "$name"
      return
    done
  done
  echo "Python 3.11 or newer is needed, and none was found as: ${names[*]}." >&2
  echo "Install one, or name it: PYTHON=/path/to/python3 $0" >&2
  return 1
}

install() { # install FLAG...: from the pinned files alone
  $venv/bin/python -m pip install -qq --disable-pip-version-check --require-hashes "$@"
}

can_compile() {
  cc --version >/dev/null 2>&1 &&
    $venv/bin/python -c 'import pathlib, sysconfig as s; (pathlib.Path(s.get_path("include")) / "Python.h").stat()' 2>/dev/null
}

if [[ -f $stamp && -x $venv/bin/python && $(state "${wanted[@]}") == "$(<"$stamp")" ]]; then
  exit
fi

if ! grep -qsxF "$($venv/bin/python -V 2>/dev/null || echo none)" $venv/.installed-*; then
  python=$(find_python) # there is no environment, or half of one, or its Python has been replaced
  rm -rf "$venv"
  "$python" -m venv $venv
fi
echo "Installing the pinned requirements into $venv (this takes a minute, once) ..." >&2
rm -f $venv/.installed-*
if [[ ${1:-} == --cicd ]]; then
  install --requirement requirements-cicd.txt
  state "${wanted[@]}" >"$stamp"
  exit
fi
packages=(--requirement requirements.txt)
[[ ${1:-} == --dev ]] && packages+=(--requirement requirements-dev.txt)
install "${packages[@]}"
if can_compile; then
  install --requirement requirements-build.txt
  install --no-build-isolation --requirement requirements-fast.txt
else
  echo "No C compiler or no Python headers: gunicorn will use its HTTP parser in Python, which is slower." >&2
fi
state "${server[@]}" >$venv/.installed-${#server[@]}
state "${wanted[@]}" >"$stamp"
