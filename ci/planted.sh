#!/usr/bin/env bash
# Shows that program_oracle finds what it is there to find: plants each bug of fuzz/planted/ in a
# copy of the repository and tests the property there. Fails if one is not found in
# PLANTED_SECONDS (300), and if a patch does not apply any more.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${PLANTED_SECONDS:-300}
root=$PWD
copy=$root/target/planted
for patch in "$root"/fuzz/planted/*.patch; do
  name=$(basename "$patch" .patch)
  rm -rf "$copy"
  mkdir -p "$copy"
  # With the time of now: cargo takes what is older than its last build for built, and that was
  # of the patch before.
  git ls-files -z | xargs -0 cp --parents -t "$copy"
  patch --quiet --strip 1 --fuzz 0 --directory "$copy" <"$patch"
  # Not where this repository is built: cargo does not tell the copy's packages from these.
  test=(cargo test --quiet --manifest-path "$copy/Cargo.toml" --target-dir "$root/target/planted-build"
    -p fuzz_properties --test properties program_oracle)
  "${test[@]}" --no-run
  begun=$SECONDS
  log=$root/target/planted-$name.log
  if FUZZ_CASES=1000000 RUST_BACKTRACE=0 timeout "$seconds" "${test[@]}" >"$log" 2>&1; then
    echo "$name: not found"
    exit 1
  fi
  # It must be that finding, not a build that fails, or the time that is over.
  if ! grep -q 'explorer and oracle disagree' "$log"; then
    echo "$name: not found in $seconds s, see $log"
    exit 1
  fi
  echo "$name: found after $((SECONDS - begun)) s," \
    "$(grep -o 'for input number [0-9]*' "$log" | tail -1)"
done
