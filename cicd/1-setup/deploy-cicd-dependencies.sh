#!/usr/bin/env bash
# Stage 1, once for an account and region: buckets, roles of development and of production, and when asked a network
# and data stores.
#
#   cicd/1-setup/deploy-cicd-dependencies.sh [option]...
#
#   --with-network              also the stack aiproxy-network: a VPC, or one of yours adopted
#   --with-data TYPE            also the stack aiproxy-data-TYPE: database and cache of development, test or
#                               production; may be given several times
#   --parameter KEY=VALUE       a parameter of aiproxy-cicd-deps, or one of aiproxy-roles-development and
#                               aiproxy-roles-production: ConnectionArn; PermissionsBoundaryArn is one of all three
#   --network-parameter K=V     one of aiproxy-network, such as NatGateways=each-zone
#   --data-parameter K=V        one of every aiproxy-data-TYPE of this run, such as MaxCapacity=16
#   --role-arn ARN              the role that CloudFormation is to use, when yours may do less than the stacks need
#   --dry-run                   show what would change, and change nothing
#   --yes                       apply without asking
#
# Each stack is shown and asked for on its own. Parameters that are not given stay as they are. Exit code 0: all is as
# wanted, or nothing had to change; 1: something failed or was declined; 2: wrong usage.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=cicd/lib/deploy.sh
source "$here/../lib/deploy.sh"

with_network=
types=()
network_given=()
data_given=()
while (($#)); do
  taken=2
  case $1 in
    --with-network) with_network=1 taken=1 ;;
    --with-data)
      [[ ${2:-} =~ ^(development|test|production)$ ]] || usage_error "--with-data takes development, test or production"
      types+=("$2")
      ;;
    --network-parameter | --data-parameter)
      [[ ${2:-} =~ ^[A-Za-z0-9]+= ]] || usage_error "$1 takes KEY=VALUE"
      if [[ $1 == --network-parameter ]]; then network_given+=("$2"); else data_given+=("$2"); fi
      ;;
    *) take_option "$@" ;;
  esac
  shift "$taken"
done

setup_stack() { # setup_stack STACK TEMPLATE [KEY=VALUE]...
  deploy_stack "$1" "$here/$2" --tag application=aiproxy --tag stage=1-setup "${@:3}"
}

buckets_given=()
roles_given=()
for pair in ${given[@]+"${given[@]}"}; do
  if [[ $pair != ConnectionArn=* ]]; then buckets_given+=("$pair"); fi
  if [[ $pair == ConnectionArn=* || $pair == PermissionsBoundaryArn=* ]]; then roles_given+=("$pair"); fi
done

need aws python3
check_account
setup_stack aiproxy-cicd-deps cicd-dependencies.template.yml ${buckets_given[@]+"${buckets_given[@]}"}
for type in development production; do
  if [[ -n $dry_run ]] && ! export_value AiProxyArtifactBucket >/dev/null 2>&1; then
    echo "aiproxy-roles-$type cannot be tried before there are buckets." >&2
    continue
  fi
  setup_stack "aiproxy-roles-$type" roles.template.yml --tag "environment-type=$type" \
    "EnvironmentType=$type" "Prefix=$(roles_prefix "$type")" ${roles_given[@]+"${roles_given[@]}"}
done
if [[ -n $with_network ]]; then
  setup_stack aiproxy-network network.template.yml ${network_given[@]+"${network_given[@]}"}
fi
for type in ${types[@]+"${types[@]}"}; do
  if [[ -n $dry_run ]] && ! export_value AiProxyVpcId >/dev/null 2>&1; then
    echo "aiproxy-data-$type cannot be tried before there is a network." >&2
    continue
  fi
  setup_stack "aiproxy-data-$type" data.template.yml --tag "environment-type=$type" \
    "EnvironmentType=$type" ${data_given[@]+"${data_given[@]}"}
done
