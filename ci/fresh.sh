#!/usr/bin/env bash
# What a stranger does: runs the commands of README.md's section "Two commands", and then the steps
# given (by default gate and acceptance), in a new clone, with an empty CARGO_HOME, an empty
# home directory and an empty target directory. Whatever relies on what was downloaded, built or
# left behind before fails here. Only what is committed is tested.
set -euo pipefail
cd "$(dirname "$0")/.."
steps=("$@")
[ $# -gt 0 ] || steps=(gate acceptance)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git clone -q . "$work/clone"
mkdir "$work/home"
# The toolchain is what a fresh machine has too.
export RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup}
export CARGO_HOME=$work/cargo HOME=$work/home
unset CARGO_TARGET_DIR CARGO_BUILD_TARGET_DIR
cd "$work/clone"

mapfile -t commands < <(sed -n '/^## Two commands/,/^## /s/^\$ \([^#]*[^# ]\) *\(#.*\)\?$/\1/p' README.md)
if [ "${#commands[@]}" != 2 ]; then
  echo "README.md does not have two commands under \"Two commands\": ${commands[*]}"
  exit 1
fi
for command in "${commands[@]}"; do
  echo "== \$ $command"
  bash -c "$command"
done
# The second command turns the feature `model` on; this is the library without it.
cargo test -p gordian
for step in "${steps[@]}"; do
  echo "== ci/$step.sh, in the new clone"
  "ci/$step.sh"
done
