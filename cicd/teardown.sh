#!/usr/bin/env bash
# Delete stacks, one after the other, each when its name has been typed.
#
#   cicd/teardown.sh [option]... STACK...
#
#   --i-mean-it        also the stacks of production's main branch and those that everything stands on, which are
#                      refused otherwise: aiproxy, aiproxy-cicd, aiproxy-data-production, aiproxy-network,
#                      aiproxy-roles-production, aiproxy-cicd-deps. Turns off the balancer's protection against deletion
#   --delete-images    also the images of a repository that is not empty; without it such a stack is refused
#   --role-arn ARN     the role that CloudFormation is to use; for app stacks, the deploy role
#   --dry-run          say what would go and what would be kept, and change nothing
#   --yes              do not ask for the name
#
# What is to go and what is kept (buckets, databases, caches and their passwords) is listed first. Stacks go from the
# last stage to the first: app stacks, then the branch's cicd stack, then data, network, roles, cicd-deps. Exit code 0:
# all are gone; 1: one was declined, refused or is not gone; 2: wrong usage.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=cicd/lib/deploy.sh
source "$here/lib/deploy.sh"

guarded=(aiproxy aiproxy-cicd aiproxy-data-production aiproxy-network aiproxy-roles-production aiproxy-cicd-deps)
mean_it=
delete_images=
stacks=()
while (($#)); do
  taken=1
  case $1 in
    --i-mean-it) mean_it=1 ;;
    --delete-images) delete_images=1 ;;
    --parameter) usage_error "unknown argument $1" ;;
    -*) take_option "$@" ;;
    *) stacks+=("$1") ;;
  esac
  shift "$taken"
done
((${#stacks[@]})) || usage_error "name the stacks to delete"
for stack in "${stacks[@]}"; do
  [[ $stack == aiproxy || $stack == aiproxy-* ]] || usage_error "$stack is no stack of this project"
done

refuse_guarded() { # refuse_guarded STACK: fails for a stack that is not deleted in passing
  local name
  [[ -n $mean_it ]] && return
  for name in "${guarded[@]}"; do
    if [[ $1 == "$name" ]]; then
      echo "$1 serves production, or everything: give --i-mean-it to delete it." >&2
      return 1
    fi
  done
}

kept_resources() { # kept_resources STACK: logical ids that CloudFormation leaves, from the template
  aws cloudformation get-template --stack-name "$1" --query TemplateBody --output text |
    awk '/^[A-Za-z]/ { inside = /^Resources:/ } inside && /^  [A-Za-z0-9]+: *$/ { name = $1; sub(/:/, "", name) }
      inside && /^ +DeletionPolicy: *"?(Retain|Snapshot)/ { print name }'
}

list_resources() { # list_resources STACK: a table of what goes and what is kept
  local kept
  kept=$(kept_resources "$1") || return
  aws cloudformation list-stack-resources --stack-name "$1" --output text \
    --query 'StackResourceSummaries[].[LogicalResourceId,ResourceType,PhysicalResourceId]' |
    awk -F'\t' -v kept="$kept" 'BEGIN { OFS = "\t"; print "", "RESOURCE", "TYPE", "ID"
        n = split(kept, names, "\n"); for (i = 1; i <= n; i++) keep[names[i]] = 1 }
      NF >= 3 { print ($1 in keep) ? "kept" : "goes", $1, $2, $3 }' | print_table
}

resources_of_type() { # resources_of_type STACK TYPE: their physical ids, one a line
  aws cloudformation list-stack-resources --stack-name "$1" --output text \
    --query "StackResourceSummaries[?ResourceType=='$2'].[PhysicalResourceId]" | sed '/^None$/d'
}

full_repositories() { # full_repositories STACK: its repositories with images in them
  local name names count
  names=$(resources_of_type "$1" AWS::ECR::Repository) || return
  while read -r name; do
    [[ -n $name ]] || continue
    count=$(aws ecr list-images --repository-name "$name" --query 'length(imageIds)' --output text) || return
    if [[ $count != 0 ]]; then echo "$name"; fi
  done <<<"$names"
}

protected_balancers() { # protected_balancers STACK: its load balancers that cannot be deleted
  local arn arns answer
  arns=$(resources_of_type "$1" AWS::ElasticLoadBalancingV2::LoadBalancer) || return
  while read -r arn; do
    [[ -n $arn ]] || continue
    answer=$(aws elbv2 describe-load-balancer-attributes --load-balancer-arn "$arn" --output text \
      --query "Attributes[?Key=='deletion_protection.enabled'].Value") || return
    if [[ $answer == true ]]; then echo "$arn"; fi
  done <<<"$arns"
}

drop_validation_records() { # drop_validation_records STACK: what ACM wrote into its zones, which would hold them back
  local zone zones batch
  zones=$(resources_of_type "$1" AWS::Route53::HostedZone) || return
  while read -r zone; do
    [[ -n $zone ]] || continue
    batch=$(aws route53 list-resource-record-sets --hosted-zone-id "$zone" --output json | jq -c '
      [.ResourceRecordSets[] | select(.Type == "CNAME" and (.ResourceRecords[0].Value | test("[.]acm-validations[.]aws[.]?$")))]
      | {Changes: map({Action: "DELETE", ResourceRecordSet: .})}') || return
    [[ $batch == '{"Changes":[]}' ]] && continue
    aws route53 change-resource-record-sets --hosted-zone-id "$zone" --change-batch "$batch" >/dev/null || return
  done <<<"$zones"
}

users_of() { # users_of STACK: stacks that import what it exports
  local name names
  names=$(aws cloudformation list-exports --output text \
    --query "Exports[?contains(ExportingStackId, ':stack/$1/')].[Name]") || return
  while read -r name; do
    [[ -z $name || $name == None ]] || importers "$name" || return
  done <<<"$names" | sort -u
}

tear_down() { # tear_down STACK: fails when it is still there; called where the shell does not stop by itself
  local stack=$1 status users repositories balancers each
  echo
  echo "== $stack"
  status=$(stack_status "$stack") || return
  if [[ $status == NONE ]]; then
    echo "There is no such stack."
    return
  fi
  refuse_guarded "$stack" || return
  users=$(users_of "$stack") || return
  if [[ -n $users ]]; then
    echo "These stacks stand on $stack and go first: ${users//$'\n'/ }" >&2
    return 1
  fi
  list_resources "$stack" || return
  repositories=$(full_repositories "$stack") || return
  balancers=$(protected_balancers "$stack") || return
  if [[ -n $repositories ]]; then
    echo "There are images in: ${repositories//$'\n'/ }"
    if [[ -z $delete_images ]]; then
      echo "Refused: a deployment may run them. Give --delete-images to delete them too." >&2
      return 1
    fi
  fi
  if [[ -n $balancers ]]; then
    echo "Protected against deletion: ${balancers//$'\n'/ }"
    if [[ -z $mean_it ]]; then
      echo "Refused: give --i-mean-it to take the protection off." >&2
      return 1
    fi
  fi
  if [[ -n $dry_run ]]; then
    echo "Dry run: nothing was changed."
    return
  fi
  if ! confirm_by_name "$stack"; then
    echo "Not deleted." >&2
    return 1
  fi
  if [[ -n $repositories || -n $balancers ]]; then
    note_half_done "$stack is not deleted yet; images of its repository may be gone, and a balancer's protection be off."
  fi
  for each in $repositories; do empty_repository "$each" || return; done
  for each in $balancers; do
    aws elbv2 modify-load-balancer-attributes --load-balancer-arn "$each" \
      --attributes Key=deletion_protection.enabled,Value=false >/dev/null || return
  done
  drop_validation_records "$stack" || return
  delete_stack "$stack"
}

empty_repository() { # empty_repository NAME
  local images
  while images=$(aws ecr list-images --repository-name "$1" --no-paginate --max-results 100 \
    --query imageIds --output json) && [[ $images != "[]" ]]; do
    aws ecr batch-delete-image --repository-name "$1" --image-ids "$images" >/dev/null || return
  done
}

need aws jq
check_account
failed=0
for stack in "${stacks[@]}"; do
  if tear_down "$stack"; then continue; fi
  failed=1
  if [[ -z $dry_run && $stack != "${stacks[-1]}" ]]; then
    echo "The stacks after $stack were not tried." >&2
    break
  fi
done
exit "$failed"
