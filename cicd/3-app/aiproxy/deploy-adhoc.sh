#!/usr/bin/env bash
# Deploy what is checked out to a development environment, without a pipeline: build, push, deploy.
#
#   BASE_DOMAIN_NAME=example.org BASE_DOMAIN_HOSTED_ZONE_ID=Z... cicd/3-app/aiproxy/deploy-adhoc.sh [option]...
#
#   TARGET_BRANCH         after what the stack aiproxy-dev-<branch> is named (default: the branch that is checked out)
#   --image URI           deploy this image; build and push none
#   --architecture A      ARM64 or X86_64, of the tasks and the image (default: the Docker engine's; with --image, this
#                         machine's). Another than the engine's is built by emulation, which the engine must have
#   --parameter KEY=VALUE a parameter of template.yml, before what config/dev.config.json says
#   --role-arn ARN        the role that CloudFormation is to use (default: development's deploy role)
#   --dry-run             build and push nothing, show what would change, and change nothing
#   --yes                 apply without asking
#
# Needs Docker, jq and the first stage; no cicd stack. What is not committed is deployed too, under a tag that says so.
# While a secret of the environment has no value the stack is made without tasks, and the secrets are listed: set them
# and run this again. Exit code 0: all is as wanted, or nothing had to change; 1: something failed or was declined; 2:
# wrong usage.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
# shellcheck source=cicd/lib/deploy.sh
source "$root/cicd/lib/deploy.sh"

image=
architecture=
while (($#)); do
  taken=2
  case $1 in
    --image | --architecture)
      [[ -n ${2:-} ]] || usage_error "$1 needs a value"
      printf -v "${1#--}" %s "$2"
      ;;
    *) take_option "$@" ;;
  esac
  shift "$taken"
done
known_architecture() { # known_architecture WORD: as ECS spells it, and as Docker does; nothing for another
  case $1 in
    ARM64 | aarch64 | arm64) echo ARM64 arm64 ;;
    X86_64 | x86_64 | amd64) echo X86_64 amd64 ;;
  esac
}

[[ -z $architecture || -n $(known_architecture "$architecture") ]] || usage_error "--architecture is ARM64 or X86_64"
for name in BASE_DOMAIN_NAME BASE_DOMAIN_HOSTED_ZONE_ID; do
  [[ -n ${!name:-} ]] || usage_error "$name is not set in the environment"
done
need aws git jq python3
branch=${TARGET_BRANCH:-$(git -C "$root" symbolic-ref --quiet --short HEAD 2>/dev/null)} ||
  usage_error "no branch is checked out here: set TARGET_BRANCH to the name that the environment is to have"
fault=$(branch_fault "$branch")
if [[ -n $fault ]]; then
  usage_error "no stack can be named after the branch '$branch': $fault. TARGET_BRANCH gives another name"
fi
stack=$(app_stack "$branch" development)
check_host "$stack" "$BASE_DOMAIN_NAME"

building=
machine=$(uname -m)
if [[ -z $image && -z $dry_run ]]; then
  building=1
  need docker
  machine=$(docker version --format '{{.Server.Arch}}') # fails here, before anything is done, when no engine answers
fi
read -r architecture processor < <(known_architecture "${architecture:-$machine}") ||
  usage_error "no task runs on $machine: give --architecture"

new_tag() { # the commit and the processor; with what is not committed, the time as well, as tags are never moved
  local commit=
  if ! commit=$(git -C "$root" rev-parse --short=12 HEAD 2>/dev/null) ||
    [[ -n $(git -C "$root" status --porcelain) ]]; then
    commit=${commit:+$commit-}$(date -u +%Y%m%d%H%M%S)
  fi
  echo "$branch-$commit-$processor"
}

is_pushed() { # is_pushed REPOSITORY TAG: 0 or 1; ends the script when that cannot be told
  local said
  said=$(aws ecr describe-images --repository-name "$1" --image-ids "imageTag=$2" 2>&1) && return
  [[ $said == *ImageNotFound* ]] && return 1
  echo "$said" >&2
  exit 1
}

uses_data_stack() { # whether tasks have PostgreSQL, whose certificate they check with what the image holds
  local last parameter
  last=$(jq -r '.Parameters.UseDataStack // "true"' "$here/config/dev.config.json")
  for parameter in ${given[@]+"${given[@]}"}; do
    if [[ $parameter == UseDataStack=* ]]; then last=${parameter#*=}; fi
  done
  [[ $last == true ]]
}

build_and_push() { # build_and_push IMAGE
  local repository=${1%:*}
  if is_pushed "${repository#*/}" "${1##*:}"; then
    echo "$1 is there already."
    return
  fi
  # What may fail soon stands before the build, so that it is not for nothing.
  if uses_data_stack; then "$here/fetch-certificates.sh"; fi
  aws ecr get-login-password | docker login --username AWS --password-stdin "${1%%/*}"
  if [[ $processor != "$machine" ]]; then
    echo "This Docker engine is for $machine, the image for $processor. Without emulation the build ends with 'exec format" \
      "error': docker run --privileged --rm tonistiigi/binfmt --install $processor"
  fi
  # shellcheck disable=SC2086 # words, on purpose
  docker build ${DOCKER_BUILD_FLAGS:-} --platform "linux/$processor" --target server --tag "$1" "$root"
  docker push "$1"
}

check_account
role_arn=${role_arn:-$(export_value AiProxyRoles-development-DeployRoleArn)}
if [[ -z $image ]]; then
  repository=$(export_value AiProxyAdhocRepositoryUri)
  image=$repository:$(new_tag)
  if [[ -n $building ]]; then build_and_push "$image"; fi
fi

make_scratch
"$here/create-environment-config.sh" --environment dev --branch "$branch" --image "$image" \
  --architecture "$architecture" --output "$scratch/dev.config.json"
deploy_stack "$stack" "$here/template.yml" --config "$scratch/dev.config.json" ${given[@]+"${given[@]}"}
