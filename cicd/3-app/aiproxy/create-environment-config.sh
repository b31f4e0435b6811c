#!/usr/bin/env bash
# Write the effective configuration of one environment: its file in config/ and what only a deployment knows.
#
#   create-environment-config.sh --environment dev|test|production --branch BRANCH --image URI --output FILE
#   create-environment-config.sh ... --architecture ARM64|X86_64        of the image; without it, this machine's
#
# BASE_DOMAIN_NAME and BASE_DOMAIN_HOSTED_ZONE_ID are read from the environment. FILE has the form of CodePipeline's
# template configuration: Parameters and Tags. DesiredTasks is 0 while no task runs and a secret has no value, so that the
# stack can be made and its secrets be set; afterwards the number of tasks that the service is to run now, at least
# MinTasks and at most MaxTasks, so that a deployment never makes a busy service smaller. Nothing is changed but FILE.
#
# Exit status: 0 when FILE was written, 1 when AWS cannot be asked, 2 for a wrong argument.
set -euo pipefail
shopt -s inherit_errexit

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=cicd/lib/ending.sh
source "$here/../../lib/ending.sh"
# shellcheck source=cicd/lib/names.sh
source "$here/../../lib/names.sh"

wrong() { # wrong MESSAGE: exit 2
  echo "create-environment-config.sh: $1 (see --help)" >&2
  exit 2
}

machine() { # the architecture of this machine, as ECS spells it
  case $(uname -m) in
    aarch64 | arm64) echo ARM64 ;;
    *) echo X86_64 ;;
  esac
}

output_of() { # output_of STACK NAME: the value of one of its outputs; empty when there is no such stack
  local value
  if ! value=$(aws cloudformation describe-stacks --stack-name "$1" --output text \
    --query "Stacks[0].Outputs[?OutputKey=='$2'].OutputValue | [0]" 2>&1); then
    [[ $value == *"does not exist"* ]] && return
    echo "create-environment-config.sh: the stack $1 cannot be looked up: $value" >&2
    return 1
  fi
  if [[ $value != None ]]; then echo "$value"; fi
}

running() { # running STACK: how many tasks its service is to run now
  local cluster service count
  cluster=$(output_of "$1" ClusterName)
  service=$(output_of "$1" ServiceName)
  if [[ -z $cluster || -z $service ]]; then
    echo 0
    return
  fi
  count=$(aws ecs describe-services --cluster "$cluster" --services "$service" --output text \
    --query 'services[0].desiredCount')
  if [[ $count == None ]]; then count=0; fi # it has been deleted
  echo "$count"
}

desired() { # desired STACK: what DesiredTasks must be
  local empty now least most
  empty=$("$here/empty-secrets.sh" "$type" "$record")
  now=$(running "$1")
  if [[ -n $empty ]] && ((now == 0)); then
    printf 'No task is started before these secrets have values ("none" where one is not used):\n%s\n' "$empty" >&2
    echo 0
    return
  fi
  if [[ -n $empty ]]; then
    printf 'New tasks will not start, and this deployment be rolled back, unless these secrets have values or the\n' >&2
    printf 'template says "none" for them until they do (cicd/README.md, "A new secret"):\n%s\n' "$empty" >&2
  fi
  least=$(jq -r '.Parameters.MinTasks' "$config")
  most=$(jq -r '.Parameters.MaxTasks' "$config")
  echo $((now < least ? least : now > most ? most : now))
}

environment='' branch='' image='' output='' architecture=$(machine)
while (($#)); do
  case $1 in
    -h | --help) sed -n '2,${/^#/!q;s/^# \{0,1\}//p;}' "$0"; exit ;;
    --environment | --branch | --image | --output | --architecture)
      [[ -n ${2:-} ]] || wrong "$1 needs a value"
      printf -v "${1#--}" %s "$2"
      shift 2
      ;;
    *) wrong "unknown argument $1" ;;
  esac
done
for name in environment branch image output; do
  [[ -n ${!name} ]] || wrong "--$name is missing"
done
for name in BASE_DOMAIN_NAME BASE_DOMAIN_HOSTED_ZONE_ID; do
  [[ -n ${!name:-} ]] || wrong "$name is not set in the environment"
done
[[ $environment =~ ^(dev|test|production)$ ]] || wrong "the environment is dev, test or production, not $environment"
[[ $branch =~ ^[a-z0-9]([a-z0-9-]*[a-z0-9])?$ ]] || wrong "no DNS name can be made of the branch $branch"
[[ $architecture =~ ^(ARM64|X86_64)$ ]] || wrong "the architecture is ARM64 or X86_64, not $architecture"

need aws jq
config=$here/config/$environment.config.json
type=$(jq -r '.Parameters.EnvironmentType' "$config")
stack=$(app_stack "$branch" "$type")
record=$stack.$BASE_DOMAIN_NAME
check_host "$stack" "$BASE_DOMAIN_NAME"

tasks=$(desired "$stack")
jq --arg image "$image" --arg architecture "$architecture" --arg stack "$stack" --arg tasks "$tasks" \
  --arg domain "$BASE_DOMAIN_NAME" --arg zone "$BASE_DOMAIN_HOSTED_ZONE_ID" --arg branch "$branch" '
  .Parameters += {
    SubdomainName: $stack, BaseDomainName: $domain, BaseDomainHostedZoneId: $zone,
    AppImageUri: $image, CpuArchitecture: $architecture, DesiredTasks: $tasks
  }
  | .Tags += {stack: $stack, branch: $branch}' "$config" >"$output.new"
mv "$output.new" "$output"
echo "$output: $stack at $record, $image ($architecture), DesiredTasks=$tasks"
