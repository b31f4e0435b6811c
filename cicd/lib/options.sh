# The options that all scripts of cicd/ have, and questions to the person who runs them. To be sourced.
# shellcheck shell=bash
# shellcheck disable=SC2034 # these are read by what sources this

assume_yes=
dry_run=
role_arn=
given=() # KEY=VALUE of --parameter

show_help() { # the comment at the top of the script
  sed -n '2,${/^#/!q;s/^# \{0,1\}//p;}' "$0"
}

usage_error() { # usage_error MESSAGE: exit 2
  echo "${0##*/}: $1 (see --help)" >&2
  exit 2
}

take_option() { # take_option WORD [NEXT]: an option that every script knows; sets `taken` to the words that it was
  taken=1
  case $1 in
    -h | --help) show_help; exit 0 ;;
    --yes) assume_yes=1 ;;
    --dry-run) dry_run=1 ;;
    --role-arn | --parameter)
      [[ -n ${2:-} ]] || usage_error "$1 needs a value"
      taken=2
      if [[ $1 == --role-arn ]]; then role_arn=$2; else take_parameter "$2"; fi
      ;;
    *) usage_error "unknown argument $1" ;;
  esac
}

take_parameter() { # take_parameter KEY=VALUE
  [[ $1 =~ ^[A-Za-z0-9]+= ]] || usage_error "a parameter is given as KEY=VALUE, not $1"
  given+=("$1")
}

confirm() { # confirm QUESTION: true when the answer is yes; --yes answers it
  local answer=
  if [[ -n $assume_yes ]]; then return 0; fi
  read -r -p "$1 [y/N] " answer || true
  [[ $answer == [yY] || $answer == [yY][eE][sS] ]]
}

confirm_by_name() { # confirm_by_name NAME: true when NAME is typed; --yes answers it
  local answer=
  if [[ -n $assume_yes ]]; then return 0; fi
  read -r -p "Type the stack's name to delete it: " answer || true
  [[ $answer == "$1" ]]
}

check_account() { # says which account and region are meant; fails when there is none
  local account
  region=${AWS_REGION:-${AWS_DEFAULT_REGION:-$(aws configure get region || true)}}
  if [[ -z $region ]]; then
    echo "No region is set: export AWS_REGION, for example us-east-1." >&2
    return 1
  fi
  export AWS_REGION=$region AWS_DEFAULT_REGION=$region AWS_PAGER=
  account=$(aws sts get-caller-identity --query Account --output text)
  echo "Account $account, region $region"
}
