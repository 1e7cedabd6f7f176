#!/usr/bin/env bash
# Runs the service for real: a short acceptance, a short crash test, and the two variants that the
# acceptance must reject. The long ones are in README.md.
set -euo pipefail
cd "$(dirname "$0")/.."

accept=(cargo run --release -q -p autotrader --bin acceptance --)
# On a machine that is too busy to judge a profile is tried once more, and is never green for it.
"${accept[@]}" --clients 16 --seconds 4 --retries 1 "$@"
"${accept[@]}" --crash 12 "$@"

# A check that cannot fail is none: what was really in production must be rejected, and for the
# reason that the incident note complained of.
broken=(cargo run --release -q -p autotrader --features specimens --bin acceptance --)
for case in "held_across_api slow3 an answer took more than 0.1 s" "timeout503 slow15 an answer is not 200"; do
  read -r specimen profile reason <<<"$case"
  status=0
  said=$("${broken[@]}" --clients 16 --seconds 5 --profile "$profile" --specimen "$specimen") || status=$?
  echo "$said"
  if [ "$status" != 100 ] || ! grep -qF "$reason" <<<"$said"; then
    echo "the acceptance does not reject $specimen as it must: exit code $status"
    exit 1
  fi
done
