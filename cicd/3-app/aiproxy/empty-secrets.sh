#!/usr/bin/env bash
# Print the names of an environment's secrets that have no value yet, one a line. Asks for no value.
#
#   cicd/3-app/aiproxy/empty-secrets.sh TYPE DNS_RECORD        such as: production aiproxy.example.org
#   cicd/3-app/aiproxy/empty-secrets.sh --states ...           adds a word to each: empty, or missing
#
# A secret that is not there yet is missing, and counts as empty. Exit status: 0 when AWS has answered, 1 when it cannot
# be asked, 2 for a wrong argument. AWS_REGION and credentials are those of the AWS CLI; they need secretsmanager:DescribeSecret.
set -euo pipefail
shopt -s inherit_errexit

here=$(dirname "${BASH_SOURCE[0]}")

states=
case ${1:-} in
  -h | --help) sed -n '2,${/^#/!q;s/^# \{0,1\}//p;}' "$0"; exit ;;
  --states) states=1; shift ;;
esac
if [[ $# != 2 || ! $1 =~ ^(development|test|production)$ || $2 != *.* ]]; then
  echo "empty-secrets.sh: a type of environment and a DNS name are needed (see --help)" >&2
  exit 2
fi

secret_names() { # those that the template makes for every environment, and without a value
  awk '
    /^  [A-Za-z0-9]+:/ { always = 1 }
    /^    Condition:/ { always = 0 }
    always && /^      Name: !Sub \$\{EnvironmentType\}\/\$\{SubdomainName\}\.\$\{BaseDomainName\}\/[a-z0-9_]+$/ {
      sub(/.*\//, ""); print
    }' "$here/template.yml"
}

# shellcheck source=cicd/lib/ending.sh
source "$here/../../lib/ending.sh"
need aws
names=$(secret_names)
if [[ -z $names ]]; then
  echo "empty-secrets.sh: no secret is found in $here/template.yml" >&2
  exit 1
fi
for name in $names; do
  state=empty
  if ! found=$(aws secretsmanager describe-secret --secret-id "$1/$2/$name" --query VersionIdsToStages 2>&1); then
    if [[ $found != *ResourceNotFoundException* ]]; then
      echo "empty-secrets.sh: whether $1/$2/$name has a value cannot be told: $found" >&2
      exit 1
    fi
    state=missing
  fi
  if [[ $found != *AWSCURRENT* ]]; then echo "$1/$2/$name${states:+ $state}"; fi
done
