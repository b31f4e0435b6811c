#!/usr/bin/env bash
# Write the effective configuration of one environment: its file in config/ and what only a deployment knows.
#
#   create-environment-config.sh --environment dev|test|production --branch BRANCH --image URI --output FILE
#   create-environment-config.sh ... --architecture ARM64|X86_64        of the image; without it, this machine's
#
# BASE_DOMAIN_NAME and BASE_DOMAIN_HOSTED_ZONE_ID are read from the environment. FILE has the form of CodePipeline's
# template configuration: Parameters and Tags. DesiredTasks is 0 while no task runs and a secret has no value, so that the
# stack can be made and its secrets be set; then MinTasks; and once tasks run `keep`, so that a deployment never makes a
# busy service smaller. SecretsToCome are then those that this release is the first to have, or that had no value with the
# release before either: tasks start without them. Nothing is changed but FILE.
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

of_stack() { # of_stack STACK QUERY: something that is known of it; empty when there is no such thing or no such stack
  local value
  if ! value=$(aws cloudformation describe-stacks --stack-name "$1" --output text --query "Stacks[0].$2" 2>&1); then
    [[ $value == *"does not exist"* ]] && return
    echo "create-environment-config.sh: the stack $1 cannot be looked up: $value" >&2
    return 1
  fi
  if [[ $value != None ]]; then echo "$value"; fi
}

running() { # running STACK: how many tasks its service is to run now
  local cluster service count
  cluster=$(of_stack "$1" "Outputs[?OutputKey=='ClusterName'].OutputValue | [0]")
  service=$(of_stack "$1" "Outputs[?OutputKey=='ServiceName'].OutputValue | [0]")
  if [[ -z $cluster || -z $service ]]; then
    echo 0
    return
  fi
  count=$(aws ecs describe-services --cluster "$cluster" --services "$service" --output text \
    --query 'services[0].desiredCount')
  if [[ $count == None ]]; then count=0; fi # it has been deleted
  echo "$count"
}

decide() { # decide STACK: sets `tasks`, what DesiredTasks must be, and `waiting`, what SecretsToCome must be
  local empty now
  empty=$("$here/empty-secrets.sh" --states "$type" "$record")
  now=$(running "$1")
  tasks=0 waiting=
  if [[ -n $empty ]] && ((now == 0)); then
    printf 'No task is started before these secrets have values ("none" where one is not used):\n%s\n' "$empty" >&2
    return
  fi
  if [[ -n $empty ]]; then divide "$1" "$empty"; fi
  if ((now == 0)); then tasks=$(jq -r '.Parameters.MinTasks' "$config"); else tasks=keep; fi
}

divide() { # divide STACK EMPTY: sets `waiting`, and says what becomes of the empty secrets of a service that runs
  local before name state late=() lost=() IFS=' '
  before=$(of_stack "$1" "Parameters[?ParameterKey=='SecretsToCome'].ParameterValue | [0]")
  while read -r name state; do
    if [[ $state == missing || ,$before, == *",${name##*/},"* ]]; then late+=("$name"); else lost+=("$name"); fi
  done <<<"$2"
  if ((${#late[@]})); then
    printf 'Tasks start without these, and read them once they are set ("none" where one is not used):\n' >&2
    printf '%s\n' "${late[@]}" >&2
  fi
  if ((${#lost[@]})); then
    printf 'New tasks will not start, and this deployment be rolled back, unless these have values again before it:\n' >&2
    printf '%s\n' "${lost[@]}" >&2
  fi
  IFS=,
  waiting="${late[*]##*/}"
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

decide "$stack"
jq --arg image "$image" --arg architecture "$architecture" --arg stack "$stack" --arg tasks "$tasks" --arg waiting "$waiting" \
  --arg domain "$BASE_DOMAIN_NAME" --arg zone "$BASE_DOMAIN_HOSTED_ZONE_ID" --arg branch "$branch" '
  .Parameters += {
    SubdomainName: $stack, BaseDomainName: $domain, BaseDomainHostedZoneId: $zone,
    AppImageUri: $image, CpuArchitecture: $architecture, DesiredTasks: $tasks, SecretsToCome: $waiting
  }
  | .Tags += {stack: $stack, branch: $branch}' "$config" >"$output.new"
mv "$output.new" "$output"
echo "$output: $stack at $record, $image ($architecture), DesiredTasks=$tasks${waiting:+, without $waiting}"
