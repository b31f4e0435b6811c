# How a script ends: what it made and nobody will use goes away, and what goes on without it is said. To be sourced.
#
# A script that is stopped ends with 128 and the signal's number, and with nothing but 0, 1 and 2 otherwise.
# shellcheck shell=bash

scratch=      # a folder for files that are gone at the end
going_on=     # what CloudFormation does and will go on doing: a line for who stops the script
half_done=    # what is left in between when this ends now: a line as well
tidy_up=      # a function that is called on every way out
signals_held= # whether a signal waits
held_signal=  # the exit code of the one that does

need() { # need PROGRAM...: exit 1 unless each can be run
  local program
  for program in "$@"; do
    command -v "$program" >/dev/null && continue
    echo "${0##*/}: $program is needed and not on the PATH (cicd/README.md says what is)." >&2
    exit 1
  done
}

make_scratch() { # a folder of this run in `scratch`, that nobody else may read
  if [[ -z $scratch ]]; then scratch=$(mktemp -d); fi
}

note_half_done() { # note_half_done TEXT: what to say when this ends now; nothing when TEXT is empty
  half_done=$1
}

stop() { # stop CODE: what a signal does
  if [[ -n $signals_held ]]; then held_signal=$1; else exit "$1"; fi
}

hold_signals() { # until `release_signals`, so that what is noted of a call is true; the call itself is an `undisturbed` one
  signals_held=1
}

release_signals() { # act on the signal that came meanwhile
  signals_held=
  if [[ -n $held_signal ]]; then exit "$held_signal"; fi
}

undisturbed() { # undisturbed WORD...: a command of the AWS CLI that Ctrl-C does not end: half a call is not known to be none
  (
    trap '' HUP INT TERM
    exec aws --cli-connect-timeout 10 "$@"
  )
}

finish() { # on every way out
  local code=$?
  set +e
  trap '' HUP INT PIPE TERM # what is started from here on inherits that
  trap - EXIT
  if [[ -n $half_done ]]; then echo "$half_done" >&2; fi
  if [[ -n $tidy_up ]]; then "$tidy_up"; fi
  if [[ -n $going_on ]]; then echo "$going_on" >&2; fi
  if [[ -n $scratch ]]; then rm -rf "$scratch"; fi
  case $code in
    0 | 1 | 2 | 129 | 130 | 141 | 143) exit "$code" ;;
    *) exit 1 ;; # the AWS CLI has codes of its own
  esac
}

trap finish EXIT
trap 'stop 129' HUP
trap 'stop 130' INT
trap 'stop 141' PIPE
trap 'stop 143' TERM
