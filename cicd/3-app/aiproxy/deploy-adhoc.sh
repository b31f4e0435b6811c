#!/usr/bin/env bash
# Deploy what is checked out to a development environment, without a pipeline: build, push, deploy.
#
#   BASE_DOMAIN_NAME=example.org BASE_DOMAIN_HOSTED_ZONE_ID=Z... cicd/3-app/aiproxy/deploy-adhoc.sh [option]...
#
#   TARGET_BRANCH         after what the stack aiproxy-dev-<branch> is named (default: the branch that is checked out)
#   --image URI           deploy this image; build and push none
#   --architecture A      ARM64 or X86_64, of the tasks and the image (default: this machine's)
#   --parameter KEY=VALUE a parameter of template.yml, before what config/dev.config.json says
#   --role-arn ARN        the role that CloudFormation is to use (default: the deploy role of stage 1)
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
case ${architecture:-$(uname -m)} in
  ARM64 | aarch64 | arm64) architecture=ARM64 platform=linux/arm64 ;;
  X86_64 | x86_64) architecture=X86_64 platform=linux/amd64 ;;
  *) usage_error "--architecture is ARM64 or X86_64" ;;
esac
for name in BASE_DOMAIN_NAME BASE_DOMAIN_HOSTED_ZONE_ID; do
  [[ -n ${!name:-} ]] || usage_error "$name is not set in the environment"
done
branch=${TARGET_BRANCH:-$(git -C "$root" rev-parse --abbrev-ref HEAD)}
check_branch "$branch"
stack=$(app_stack "$branch" development)
check_host "$stack" "$BASE_DOMAIN_NAME"

new_tag() { # the commit; with what is not committed, the time as well, as tags are never moved
  local commit
  commit=$(git -C "$root" rev-parse --short=12 HEAD)
  if [[ -n $(git -C "$root" status --porcelain) ]]; then commit=$commit-$(date -u +%Y%m%d%H%M%S); fi
  echo "$branch-$commit"
}

is_pushed() { # is_pushed REPOSITORY TAG
  aws ecr describe-images --repository-name "$1" --image-ids "imageTag=$2" >/dev/null 2>&1
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
  if is_pushed aiproxy-adhoc "${1##*:}"; then
    echo "$1 is there already."
    return
  fi
  if uses_data_stack; then "$here/fetch-certificates.sh"; fi
  # shellcheck disable=SC2086 # words, on purpose
  docker build ${DOCKER_BUILD_FLAGS:-} --platform "$platform" --target server --tag "$1" "$root"
  aws ecr get-login-password | docker login --username AWS --password-stdin "${1%%/*}"
  docker push "$1"
}

check_account
role_arn=${role_arn:-$(export_value AiProxyDeployRoleArn)}
if [[ -z $image ]]; then
  repository=$(export_value AiProxyAdhocRepositoryUri)
  image=$repository:$(new_tag)
  if [[ -z $dry_run ]]; then build_and_push "$image"; fi
fi

files=$(mktemp -d)
trap 'rm -rf "$files"' EXIT
"$here/create-environment-config.sh" --environment dev --branch "$branch" --image "$image" \
  --architecture "$architecture" --output "$files/dev.config.json"
deploy_stack "$stack" "$here/template.yml" --config "$files/dev.config.json" ${given[@]+"${given[@]}"}
rm -rf "$files"
