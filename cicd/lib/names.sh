# Names of branches, stacks and hosts: one place, so that scripts, pipeline and documents agree. To be sourced.
# shellcheck shell=bash

# `aiproxy-<branch>-test` must be a DNS label (63), and with the domain the name of a certificate (64).
longest_branch=40
longest_host=64

# Stacks of the account itself: a branch of such a name would take their place.
taken_names=(test dev data cicd cicd-deps network adhoc)

branch_fault() { # branch_fault BRANCH: says what is wrong with the name; prints nothing when it will do
  local branch=$1 name
  if [[ ! $branch =~ ^[a-z0-9][a-z0-9-]*[a-z0-9]$ ]]; then
    echo "lower-case letters, digits and hyphens only, two or more, no hyphen at an end"
  elif ((${#branch} > longest_branch)); then
    echo "at most $longest_branch characters, so that every name made from it fits"
  elif [[ $branch == *--* ]]; then
    echo "no two hyphens in a row"
  elif [[ $branch == *-test || $branch == *-cicd || $branch == dev-* || $branch == data-* || $branch == roles-* ]]; then
    echo "a name that begins with dev-, data- or roles-, or ends in -test or -cicd, is another stack's"
  else
    for name in "${taken_names[@]}"; do
      if [[ $branch == "$name" ]]; then echo "this name is another stack's"; fi
    done
  fi
}

check_branch() { # check_branch BRANCH: exit 2 unless stacks can be named after it
  local fault
  fault=$(branch_fault "$1")
  [[ -z $fault ]] && return
  echo "The branch name '$1' cannot be used: $fault." >&2
  exit 2
}

check_environment_type() { # check_environment_type TYPE: exit 2 unless a pipeline can be made for it
  [[ $1 == production || $1 == development ]] && return
  echo "ENVIRONMENT_TYPE is production or development, not '$1'." >&2
  exit 2
}

check_host() { # check_host LABEL DOMAIN: exit 2 when no certificate can carry the name
  local host=$1.$2
  ((${#host} <= longest_host)) && return
  echo "The name $host has ${#host} characters, and a certificate's has at most $longest_host: use a shorter branch name." >&2
  exit 2
}

roles_prefix() { # roles_prefix TYPE: how all names begin that the roles of development, or of production, may touch
  if [[ $1 == development ]]; then echo aiproxy-dev-; else echo aiproxy; fi
}

cicd_stack() { # cicd_stack BRANCH: the stack of its pipeline
  if [[ $1 == main ]]; then echo aiproxy-cicd; else echo "aiproxy-$1-cicd"; fi
}

app_stack() { # app_stack BRANCH TYPE: the stack of the application, which is its DNS label as well
  case $2/$1 in
    production/main) echo aiproxy ;;
    test/main) echo aiproxy-test ;;
    production/*) echo "aiproxy-$1" ;;
    test/*) echo "aiproxy-$1-test" ;;
    development/*) echo "aiproxy-dev-$1" ;;
    *) return 1 ;;
  esac
}
