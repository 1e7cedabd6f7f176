#!/usr/bin/env bash
# Injects mistakes into the code, one at a time, and runs the tests: each mistake must make one
# fail. Needs cargo-mutants; .cargo/mutants.toml says which files, and which mistakes are none.
#
#   ci/mutants.sh                         what operations mean, and the detectors
#   ci/mutants.sh search                  how executions are run, chosen and compared
#   ci/mutants.sh core                    the autotrader's protocol core
#   MUTANTS_SHARD=2/8 ci/mutants.sh       the third of eight samples, each spread over all files
#   MUTANTS_SECONDS=3600 ci/mutants.sh    what can be tried in an hour, in each of two stages
#
# What the quick tests let through is tried again with larger ones. What these let through as well
# is listed, and is the exit code 2; 124 when the time was over before all were tried.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! cargo mutants --version >/dev/null 2>&1; then
  echo "needs cargo-mutants: cargo install --locked cargo-mutants" >&2
  exit 1
fi
export CARGO_PROFILE_DEV_DEBUG=0 CARGO_PROFILE_TEST_DEBUG=0
out=$PWD/target/mutants
shard=${MUTANTS_SHARD:-0/1}
# Reports name the mistakes; that the tests pass without any is what ci/test.sh is for.
mutants=(timeout --signal=INT "${MUTANTS_SECONDS:-86400}"
  cargo mutants --baseline skip --build-timeout 600 --colors never)

case ${1:-engine} in
engine)
  select=(-p gordian -f 'src/object/**' -f 'src/detect/**')
  quick=(--features scenario
    # Builds in half the time; these tests take no longer for it.
    -C=--config='profile.dev.package.gordian.opt-level=0'
    -C=--lib -C=--test=messages -C=--test=engine -C=--test=incumbents -C=--test=primitives
    -C=--test=coverage -C=--test=shrink
    --timeout 60 -- -- --skip any_text_is_read_or_refused --skip what_is_independent_commutes)
  # With the quick ones again: some mistakes, those of left out fields, cannot be selected by name.
  large=(-C=--package=model_tests -C=--lib -C=--test=messages -C=--test=engine -C=--test=shrink
    -C=--test=scenario_meaning -C=--test=kernels -C=--test=scenarios --timeout 300 -- -- --skip any_text_is_read_or_refused --skip loom)
  ;;
search)
  select=(-p gordian -f 'src/engine/**' -f 'src/explore/**' -f 'src/trace/spins.rs'
    -f 'src/trace/cut.rs' -f 'src/trace/record.rs')
  quick=(--features scenario,loom
    -C=--lib -C=--test=engine -C=--test=hostile -C=--test=scopes -C=--test=spins
    -C=--test=nondeterminism -C=--test=messages -C=--test=shrink -C=--test=scenario_meaning
    --timeout 120 -- -- --skip any_text_is_read_or_refused --skip what_is_independent_commutes)
  large=(-C=--package=model_tests -C=--package=gordian -C=--test=outsiders -C=--test=loom
    -C=--test=fuzz -C=--test=counts -C=--test=differential -C=--test=scenarios --timeout 600)
  ;;
core)
  select=(-p autotrader -f 'autotrader/src/*.rs' -e autotrader/src/main.rs)
  quick=(--no-default-features -C=--test=sequential --timeout 60)
  large=(-C=--package=model_tests -C=--test=sequential -C=--test=autotrader -C=--test=state_machine
    --timeout 300 -- -- --skip loom)
  ;;
*)
  echo "usage: ci/mutants.sh [engine|search|core]" >&2
  exit 2
  ;;
esac

# Runs one stage; keeps its exit code where that says what became of the mistakes.
stage() {
  local name=$1 status=0
  shift
  rm -rf "${out:?}/$name"
  mkdir -p "$out/$name"
  "${mutants[@]}" "${select[@]}" --output "$out/$name" "$@" || status=$?
  # 2: some got away. 3: some tests did not end, which is as good as a failure.
  case $status in
  0 | 2 | 3) return 0 ;;
  *) return "$status" ;;
  esac
}

over=0
stage quick --shard "$shard" --sharding round-robin "${quick[@]}" || over=$?
[ "$over" = 0 ] || [ "$over" = 124 ] || exit "$over"
away=$out/quick/mutants.out/missed.txt
if [ -s "$away" ]; then
  # Their names, as one expression that matches nothing else.
  names=$(sed 's/[][\\.^$*+?(){}|]/\\&/g; s/.*/^&$/' "$away" | paste -sd '|')
  stage large --re "$names" "${large[@]}" || over=$?
  [ "$over" = 0 ] || [ "$over" = 124 ] || exit "$over"
  away=$out/large/mutants.out/missed.txt
fi
if [ -s "$away" ]; then
  echo "got away:"
  cat "$away"
  exit 2
fi
exit "$over"
