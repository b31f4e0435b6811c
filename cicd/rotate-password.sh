#!/usr/bin/env bash
# Give the database or the cache of an environment type a new password, and start its tasks anew, which hand it in.
#
#   cicd/rotate-password.sh production database        development, test or production
#   cicd/rotate-password.sh production cache
#
#   --dry-run          say what would be done, and change nothing
#   --yes              do not ask
#
# Tasks are given the password when they start. Of the cache both hold until the last old task has gone. The database
# knows one: until its tasks have been replaced, an old one can open no new connection (those that it has go on), so do
# that when it is quiet. The password is made here, shown nowhere, part of no command, and first kept as the version
# AWSPENDING of the secret, so that it is not lost when this is stopped. To run it again is always right. Exit code 0: done;
# 1: something failed or was declined; 2: wrong usage.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=cicd/lib/deploy.sh
source "$here/lib/deploy.sh"

words=()
while (($#)); do
  taken=1
  case $1 in
    --parameter | --role-arn) usage_error "unknown argument $1" ;;
    -*) take_option "$@" ;;
    *) words+=("$1") ;;
  esac
  shift "$taken"
done
[[ ${#words[@]} == 2 && ${words[0]} =~ ^(development|test|production)$ && ${words[1]} =~ ^(database|cache)$ ]] ||
  usage_error "a type of environment and database or cache are needed"
type=${words[0]} store=${words[1]}
if [[ $store == database ]]; then resource=Database; else resource=Cache; fi

new_secret() { # the new value of the secret, into a file: as the data stack made the first
  if [[ $store == database ]]; then
    random_word | jq --raw-input '{username: "aiproxy", password: .}'
  else
    random_word
  fi >"$scratch/secret"
}

random_word() { python3 -c 'import secrets; print(secrets.token_hex(20), end="")'; }

change_database() { # the new password holds, the one before does not
  jq --arg id "$id" '{DBClusterIdentifier: $id, MasterUserPassword: .password, ApplyImmediately: true}' \
    "$scratch/secret" >"$scratch/input"
  undisturbed rds modify-db-cluster --cli-input-json "file://$scratch/input" --query DBCluster.Status --output text
}

change_cache() { # change_cache ROTATE|SET: both hold; the new one alone
  jq --raw-input --arg id "$id" --arg how "$1" \
    '{ReplicationGroupId: $id, AuthToken: ., AuthTokenUpdateStrategy: $how, ApplyImmediately: true}' \
    "$scratch/secret" >"$scratch/input"
  undisturbed elasticache modify-replication-group --cli-input-json "file://$scratch/input" \
    --query ReplicationGroup.Status --output text
}

wait_until_available() {
  local status=
  while [[ $status != available ]]; do
    sleep "${DEPLOY_POLL_SECONDS:-5}" # first, as the change is not seen at once
    if [[ $store == database ]]; then
      status=$(aws rds describe-db-clusters --db-cluster-identifier "$id" --query 'DBClusters[0].Status' --output text)
    else
      status=$(aws elasticache describe-replication-groups --replication-group-id "$id" \
        --query 'ReplicationGroups[0].Status' --output text)
    fi
  done
}

start_anew() { # start_anew STACK: its tasks, and wait until the old ones have gone
  local cluster service old=unknown
  read -r cluster service < <(aws cloudformation describe-stacks --stack-name "$1" --output json | jq -r '
    .Stacks[0].Outputs | map({(.OutputKey): .OutputValue}) | add | [.ClusterName, .ServiceName] | @tsv')
  echo "$1: new tasks"
  aws ecs update-service --cluster "$cluster" --service "$service" --force-new-deployment --query service.status --output text
  while [[ $old != 0 ]]; do
    sleep "${DEPLOY_POLL_SECONDS:-5}"
    old=$(aws ecs describe-services --cluster "$cluster" --services "$service" --output text \
      --query "length(services[0].deployments[?status!='PRIMARY' && runningCount>\`0\`])")
  done
}

need aws jq python3
check_account
secret=$(export_value "AiProxyData-$type-${resource}SecretArn")
id=$(aws cloudformation list-stack-resources --stack-name "aiproxy-data-$type" --output text \
  --query "StackResourceSummaries[?LogicalResourceId=='$resource'].PhysicalResourceId")
current=$(aws secretsmanager describe-secret --secret-id "$secret" --output json |
  jq -r '.VersionIdsToStages | to_entries[] | select(.value | index("AWSCURRENT")) | .key')
apps=$(importers "AiProxyData-$type-${resource}SecretArn")
echo "The $store $id gets a new password, in $secret."
echo "Tasks that start anew: ${apps:-none}"
if [[ -n $dry_run ]]; then
  echo "Dry run: nothing was changed."
  exit
fi
if ! confirm "Change the password of $id?"; then
  echo "Nothing was changed." >&2
  exit 1
fi

make_scratch
new_secret
note_half_done "Half done: the new password is the version AWSPENDING of $secret. Run this again."
version=$(undisturbed secretsmanager put-secret-value --secret-id "$secret" --secret-string "file://$scratch/secret" \
  --version-stages AWSPENDING --query VersionId --output text)
if [[ $store == database ]]; then change_database; else change_cache ROTATE; fi
wait_until_available
undisturbed secretsmanager update-secret-version-stage --secret-id "$secret" --version-stage AWSCURRENT \
  --move-to-version-id "$version" --remove-from-version-id "$current" >/dev/null
note_half_done "Half done: the new password is in place, and not all tasks have it. Run this again."
for app in $apps; do start_anew "$app"; done
if [[ $store == cache ]]; then
  change_cache SET
  wait_until_available
fi
note_half_done ""
echo "Done."
