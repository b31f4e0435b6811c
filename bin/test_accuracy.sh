#!/usr/bin/env bash
# Fail when grades agree with those of humans less often than they must: the accuracy gate.
#
#   bin/test_accuracy.sh                                  the bundled samples, graded as `extractor` says
#   bin/test_accuracy.sh --use-cached --max-cost 5        with further arguments of bin/rubric-tester
#   bin/test_accuracy.sh --dataset-dir ~/datasets --experiment-dir ~/experiments --experiment-name new \
#     --thresholds ~/thresholds.json                      a dataset of yours
#
# It asks a model, which costs money: see `bin/rubric-tester --dry-run`. Exit status: 0 when every threshold was
# reached, 1 when one was missed, 2 for a wrong argument or input, 3 when some programs have no grades.
set -euo pipefail

case ${1:-} in
  -h | --help) sed -n '2,${/^#/!q;s/^# \{0,1\}//p;}' "$0"; exit ;;
esac

experiment=(--experiment-name extractor)
for argument in "$@"; do
  case $argument in
    --experiment-* | --compare*) experiment=() ;;
  esac
done
exec "$(dirname "${BASH_SOURCE[0]}")/rubric-tester" --accuracy "${experiment[@]}" "$@"
