# What is asked of CloudFormation about a stack, waiting for it, and tables. To be sourced by deploy.sh.
# shellcheck shell=bash

last_event=   # the newest event that has been shown
final_status= # how the stack ended
most_unanswered=12 # questions in a row that AWS may leave open (throttling, a network that is away) before a wait ends

stack_state() { # stack_state STACK: its status, NONE when there is no such stack, a tab, and the keys of its parameters
  local said
  if said=$(aws cloudformation describe-stacks --stack-name "$1" --output text \
    --query "Stacks[0].[StackStatus, join(' ', Parameters[].ParameterKey || \`[]\`)]" 2>&1); then
    echo "$said"
  elif [[ $said == *"does not exist"* ]]; then
    printf 'NONE\t\n'
  else
    echo "$said" >&2
    return 1
  fi
}

stack_status() { # stack_status STACK: its status, NONE when there is no such stack
  local state
  state=$(stack_state "$1") || return
  echo "${state%%$'\t'*}"
}

export_value() { # export_value NAME: prints what a stack exports; fails when none does
  local value
  value=$(aws cloudformation list-exports --query "Exports[?Name=='$1'].Value" --output text)
  if [[ -z $value || $value == None ]]; then
    echo "No stack exports $1: the stack of an earlier stage is missing (cicd/README.md has the order)." >&2
    return 1
  fi
  echo "$value"
}

importers() { # importers NAME: the stacks that import this export, one a line
  local said
  if said=$(aws cloudformation list-imports --export-name "$1" --query 'Imports[]' --output text 2>&1); then
    tr '\t' '\n' <<<"$said" | sed '/^None$/d'
  elif [[ $said != *"not imported"* ]]; then
    echo "$said" >&2
    return 1
  fi
}

stack_parameter() { # stack_parameter STACK KEY: prints the value that the stack has, nothing when it has none
  local value
  value=$(aws cloudformation describe-stacks --stack-name "$1" \
    --query "Stacks[0].Parameters[?ParameterKey=='$2'].ParameterValue" --output text)
  if [[ $value != None ]]; then echo "$value"; fi
}

clear_empty_stack() { # clear_empty_stack STACK: delete a stack that holds nothing but its name
  local sets
  sets=$(aws cloudformation list-change-sets --stack-name "$1" --query 'Summaries[].ChangeSetName' --output text)
  if [[ -n $sets && $sets != None ]]; then
    echo "$1 does not exist yet, and somebody has made a change set for it: $sets. Apply or delete that first." >&2
    return 1
  fi
  aws cloudformation delete-stack --stack-name "$1"
  while [[ $(stack_status "$1") == *_IN_PROGRESS ]]; do sleep "${DEPLOY_POLL_SECONDS:-5}"; done
}

drop_change_set() { # drop_change_set STACK NAME: delete it, once CloudFormation has finished making it
  local tries said
  for tries in 1 2 3 4 5 6 7 8 9 10 11 12; do
    aws cloudformation delete-change-set --stack-name "$1" --change-set-name "$2" >/dev/null 2>&1 && return 0
    if ! said=$(aws cloudformation describe-change-set --stack-name "$1" --change-set-name "$2" --query Status \
      --output text 2>&1); then
      [[ $said == *"does not exist"* || $said == *ChangeSetNotFound* ]] && return 0
      break
    fi
    sleep "${DEPLOY_POLL_SECONDS:-5}"
  done
  echo "The change set $2 of $1 could not be deleted, in $tries tries: $said. To do so: aws cloudformation" \
    "delete-change-set --stack-name $1 --change-set-name $2" >&2
}

delete_stack() { # delete_stack STACK: delete it and wait; 1 when something is left
  local id
  id=$(aws cloudformation describe-stacks --stack-name "$1" --query 'Stacks[0].StackId' --output text) || return
  mark_events "$id"
  hold_signals
  if undisturbed cloudformation delete-stack --stack-name "$id" ${role_arn:+--role-arn "$role_arn"}; then
    note_half_done ''
    going_on="Not watched any more: CloudFormation goes on deleting $1, and that cannot be stopped. To see how: aws \
cloudformation describe-stack-events --stack-name $id --max-items 20"
  fi
  release_signals
  [[ -n $going_on ]] || return 1
  wait_for_stack "$id" || return 1 # by its id, as a deleted stack has no name
  going_on=
  if [[ $final_status == DELETE_COMPLETE || $final_status == NONE ]]; then return; fi
  print_failures "$id"
  return 1
}

events() { # events STACK [OPTION]...: newest first, as id, time, status, resource, type, reason
  aws cloudformation describe-stack-events --stack-name "$1" "${@:2}" --output text --query \
    'StackEvents[].[EventId,Timestamp,ResourceStatus,LogicalResourceId,ResourceType,ResourceStatusReason]'
}

mark_events() { # mark_events STACK: what happened so far is not shown
  last_event=$(events "$1" --no-paginate 2>/dev/null | awk -F'\t' 'NR == 1 { print $1 }')
  first_event=$last_event
}

since() { # since EVENT: of events on standard input, newest first, those after EVENT, oldest first
  awk -F'\t' -v last="$1" '$1 == last { exit } { line[n++] = $0 } END { while (n) print line[--n] }'
}

show_events() { # show_events STACK: print what is new
  local fresh
  fresh=$(events "$1" --no-paginate | since "$last_event") # the newest 100: more do not come between two looks
  [[ -z $fresh ]] && return
  last_event=$(tail -n 1 <<<"$fresh" | cut -f 1)
  awk -F'\t' '{ sub(/.*T/, "", $2); printf "%s  %-28s %-32s %s\n", substr($2, 1, 8), $3, $4, $6 == "None" ? "" : $6 }' \
    <<<"$fresh"
}

wait_for_stack() { # wait_for_stack STACK: print events until it rests; sets `final_status`; 1 when AWS does not answer
  local unanswered=0
  while ((unanswered < most_unanswered)); do
    if final_status=$(stack_status "$1"); then
      unanswered=0
      show_events "$1" || true
      if [[ $final_status != *_IN_PROGRESS ]]; then
        echo "$final_status"
        return
      fi
    else
      unanswered=$((unanswered + 1))
    fi
    sleep "${DEPLOY_POLL_SECONDS:-5}"
  done
  return 1
}

print_failures() { # print_failures STACK: the events since it began that say why, of all pages
  echo "Failed ($final_status). What went wrong, the first cause first:" >&2
  events "$1" | since "$first_event" | awk -F'\t' '$3 ~ /_FAILED$/ && $6 !~ /cancelled/ {
    printf "  %s (%s): %s\n", $4, $5, $6 }' >&2
}

print_outputs() { # print_outputs STACK
  local rows
  rows=$(aws cloudformation describe-stacks --stack-name "$1" \
    --query 'Stacks[0].Outputs[].[OutputKey,OutputValue]' --output text)
  if [[ -n $rows && $rows != None ]]; then printf 'OUTPUT\tVALUE\n%s\n' "$rows" | print_table; fi
}

print_table() { # of lines with tabs: columns as wide as their widest cell
  awk -F'\t' '{ for (i = 1; i <= NF; i++) { cell[NR, i] = $i; if (length($i) > width[i]) width[i] = length($i) }
    if (NF > columns) columns = NF }
    END { for (r = 1; r <= NR; r++) { line = ""
      for (i = 1; i <= columns; i++) line = line sprintf(i < columns ? "%-" width[i] "s  " : "%s", cell[r, i])
      print "  " line } }'
}
