#!/usr/bin/env bash
# Stage 2, once for each deployed branch: its image repository, key, builds, pipeline and notifications.
#
#   TARGET_BRANCH=main ENVIRONMENT_TYPE=production cicd/2-cicd/deploy-cicd.sh [option]...
#
#   TARGET_BRANCH        the branch (default main): lower-case letters, digits and hyphens
#   ENVIRONMENT_TYPE     production (default): deploy to test, test, deploy to production, test;
#                        development: deploy to development
#   --parameter K=V      a parameter of cicd.template.yml. The first time these are needed: GitHubOwner, GitHubRepo,
#                        ConnectionArn, BaseDomainName, BaseDomainHostedZoneId
#   --role-arn ARN       the role that CloudFormation is to use, when yours may do less than the stack needs
#   --dry-run            show what would change, and change nothing
#   --yes                apply without asking
#
# Parameters that are not given stay as they are. The pipeline starts by itself when the stack is made, and then with
# every commit. Exit code 0: all is as wanted, or nothing had to change; 1: something failed or was declined; 2: wrong
# usage, which a branch name that cannot be used is.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=cicd/lib/deploy.sh
source "$here/../lib/deploy.sh"

while (($#)); do
  take_option "$@"
  shift "$taken"
done
branch=${TARGET_BRANCH:-main}
type=${ENVIRONMENT_TYPE:-production}
check_branch "$branch"
check_environment_type "$type"

check_hosts() { # every host that the pipeline will deploy has a name that a certificate can carry
  local domain=$1 each kinds=(development)
  [[ $type == production ]] && kinds=(test production)
  for each in "${kinds[@]}"; do check_host "$(app_stack "$branch" "$each")" "$domain"; done
}

need aws python3
check_account
stack=$(cicd_stack "$branch")
status=$(stack_status "$stack")
domain=
for pair in ${given[@]+"${given[@]}"}; do
  if [[ $pair == BaseDomainName=* ]]; then domain=${pair#*=}; fi
done
if [[ $status == *_COMPLETE ]]; then
  before=$(stack_parameter "$stack" EnvironmentType)
  if [[ -n $before && $before != "$type" ]]; then
    echo "$stack deploys to $before. A branch has one pipeline in an account: tear it down first, or use another branch." >&2
    exit 2
  fi
  domain=${domain:-$(stack_parameter "$stack" BaseDomainName)}
fi
if [[ -n $domain ]]; then check_hosts "$domain"; fi
export_value "AiProxyRoles-$type-PipelineRoleArn" >/dev/null # stage 1 is there

deploy_stack "$stack" "$here/cicd.template.yml" \
  --tag application=aiproxy --tag stage=2-cicd --tag "branch=$branch" --tag "environment-type=$type" \
  "Branch=$branch" "EnvironmentType=$type" ${given[@]+"${given[@]}"}
