# Deploy one CloudFormation stack, so that a person sees what will change before it does. To be sourced.
#
#   deploy_stack STACK TEMPLATE [--config FILE] [--tag KEY=VALUE]... [KEY=VALUE]...
#
# Validates, makes a change set, prints it, asks, applies it, waits, prints the outputs, and on failure the events that
# explain it. Whatever ends it before the change is applied leaves neither a change set nor an empty stack behind.
# DEPLOY_POLL_SECONDS (default 5) is how often CloudFormation is asked.
# shellcheck shell=bash

cicd_lib=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=cicd/lib/ending.sh
source "$cicd_lib/ending.sh"
# shellcheck source=cicd/lib/options.sh
source "$cicd_lib/options.sh"
# shellcheck source=cicd/lib/names.sh
source "$cicd_lib/names.sh"
# shellcheck source=cicd/lib/stacks.sh
source "$cicd_lib/stacks.sh"

largest_body=51200 # bytes of a template that may be sent as it is; a larger one goes by way of S3

pending_stack=
pending_set= # the change set that is to be gone when this ends
tidy_up=forget_change_set

deploy_stack() {
  local stack=$1 template=$2 state type answer=0
  shift 2
  echo
  echo "== $stack"
  state=$(stack_state "$stack")
  type=$(change_set_type "$stack" "${state%%$'\t'*}")
  if [[ $type == REMAINS ]]; then
    clear_remains "$stack" || return
    type=CREATE
  fi
  make_scratch
  locate_template "$stack" "$template"
  write_input "$type" "${state#*$'\t'}" "$@"
  make_change_set "$stack" "$type" || answer=$?
  if ((answer == 0)); then apply_change_set "$stack" || answer=$?; fi
  forget_change_set
  ((answer == 3)) && answer=0 # nothing to do, or a dry run
  return "$answer"
}

change_set_type() { # change_set_type STACK STATUS: CREATE, UPDATE or REMAINS; fails when it cannot be changed now
  local status=$2
  case $status in
    NONE) echo CREATE ;;
    REVIEW_IN_PROGRESS) clear_empty_stack "$1" >&2 && echo CREATE ;;
    ROLLBACK_COMPLETE) echo REMAINS ;;
    CREATE_COMPLETE | UPDATE_COMPLETE | UPDATE_ROLLBACK_COMPLETE | IMPORT_COMPLETE) echo UPDATE ;;
    *_IN_PROGRESS) echo "$1 is at work ($status): wait until that is over." >&2; return 1 ;;
    *)
      echo "$1 is $status and takes no change. See its events; 'aws cloudformation continue-update-rollback" \
        "--stack-name $1' helps after a failed roll-back, cicd/teardown.sh removes it." >&2
      return 1
      ;;
  esac
}

clear_remains() { # clear_remains STACK: delete what a failed creation left, when that is wanted
  echo "The creation of $1 failed earlier and was rolled back; only its name is left, and must go first."
  if [[ -n $dry_run ]]; then
    echo "Dry run: nothing was changed."
    return 1
  fi
  confirm "Delete the remains of $1?" || return 1
  delete_stack "$1"
}

locate_template() { # locate_template STACK TEMPLATE: sets `template_source`, what the CLI is told of the template
  local bucket key
  template_source=(--template-body "file://$2")
  (($(wc -c <"$2") <= largest_body)) && return
  bucket=$(export_value AiProxyArtifactBucket)
  key=templates/$1-$(date -u +%Y%m%dT%H%M%SZ).yml
  aws s3 cp --only-show-errors "$2" "s3://$bucket/$key"
  template_source=(--template-url "https://$bucket.s3.$region.amazonaws.com/$key")
}

write_input() { # write_input TYPE KEYS [--config FILE] [--tag KEY=VALUE]... [KEY=VALUE]...
  local type=$1 previous=$2 known
  shift 2
  [[ $type == UPDATE ]] || previous=
  known=$(aws cloudformation validate-template "${template_source[@]}" \
    --query 'Parameters[].ParameterKey' --output text)
  [[ $known == None ]] && known=
  python3 "$cicd_lib/change_set_input.py" --known "$known" --previous "$previous" "$@" >"$scratch/input.json"
}

# The functions below are called where the shell does not stop at a failure, so each step that matters returns by itself.

make_change_set() { # make_change_set STACK TYPE: 0 when there is one to apply, 3 when nothing changes
  local arguments=(--stack-name "$1" --change-set-type "$2" --capabilities CAPABILITY_NAMED_IAM)
  pending_stack=$1
  pending_set=deploy-$(date -u +%Y%m%d-%H%M%S)-$$
  [[ -n $role_arn ]] && arguments+=(--role-arn "$role_arn")
  undisturbed cloudformation create-change-set --change-set-name "$pending_set" "${arguments[@]}" \
    "${template_source[@]}" --cli-input-json "file://$scratch/input.json" >/dev/null || return
  wait_for_change_set || return
  if [[ $change_set_status == CREATE_COMPLETE ]]; then
    print_changes
    return
  fi
  if [[ $change_set_reason == *"didn't contain changes"* || $change_set_reason == *"No updates are to be"* ]]; then
    echo "No changes."
    print_outputs "$1"
    return 3
  fi
  echo "No change set could be made: $change_set_reason" >&2
  return 1
}

wait_for_change_set() { # sets `change_set_status` and `change_set_reason`
  local said unanswered=0
  while ((unanswered < most_unanswered)); do
    if said=$(aws cloudformation describe-change-set --stack-name "$pending_stack" --change-set-name "$pending_set" \
      --no-paginate --query '[Status,StatusReason]' --output text); then
      change_set_status=${said%%$'\t'*} change_set_reason=${said#*$'\t'} unanswered=0
      [[ $change_set_status == CREATE_[PI]* ]] || return 0
    else
      unanswered=$((unanswered + 1))
    fi
    sleep "${DEPLOY_POLL_SECONDS:-5}"
  done
  return 1
}

print_changes() {
  local rows
  rows=$(aws cloudformation describe-change-set --stack-name "$pending_stack" --change-set-name "$pending_set" \
    --query 'Changes[].ResourceChange.[Action,LogicalResourceId,ResourceType,Replacement]' --output text) || return
  if [[ -z $rows || $rows == None ]]; then
    echo "Only outputs, tags or descriptions change."
    return
  fi
  printf 'ACTION\tRESOURCE\tTYPE\tREPLACEMENT\n%s\n' "$rows" | sed $'s/\tNone$/\t-/' | print_table
}

apply_change_set() { # apply_change_set STACK: 3 for a dry run
  if [[ -n $dry_run ]]; then
    echo "Dry run: nothing was changed."
    return 3
  fi
  if ! confirm "Apply these changes to $1?"; then
    echo "Not applied; nothing was changed." >&2
    return 1
  fi
  mark_events "$1"
  hold_signals
  if undisturbed cloudformation execute-change-set --stack-name "$1" --change-set-name "$pending_set"; then
    pending_set= # it is CloudFormation's now
    going_on=$(words_of_change "$1")
  fi
  release_signals
  [[ -n $going_on ]] || return 1
  wait_for_stack "$1" || return 1
  going_on=
  if [[ $final_status == CREATE_COMPLETE || $final_status == UPDATE_COMPLETE ]]; then
    print_outputs "$1"
    return
  fi
  print_failures "$1"
  return 1
}

words_of_change() { # words_of_change STACK: for who stops watching it
  echo "Not watched any more: CloudFormation goes on with $1. To see how: aws cloudformation describe-stack-events" \
    "--stack-name $1 --max-items 20. To go back: aws cloudformation cancel-update-stack --stack-name $1, or for a stack" \
    "that is new: cicd/teardown.sh $1"
}

forget_change_set() { # delete what was made and not applied; called on every way out
  [[ -n $pending_set ]] || return 0
  drop_change_set "$pending_stack" "$pending_set"
  pending_set=
  if [[ $(stack_status "$pending_stack") == REVIEW_IN_PROGRESS ]]; then clear_empty_stack "$pending_stack" || true; fi
}
