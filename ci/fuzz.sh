#!/usr/bin/env bash
# Replays all seeds of all fuzz targets, on stable. With FUZZ_SECONDS=n, a nightly toolchain and
# cargo-fuzz each target is fuzzed for so long as well; what is found lies in fuzz/artifacts/.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo run --quiet -p fuzz_properties

seconds=${FUZZ_SECONDS:-0}
if [ "$seconds" = 0 ]; then
  exit 0
fi
if ! cargo +nightly fuzz --version >/dev/null 2>&1; then
  echo "FUZZ_SECONDS=$seconds needs a nightly toolchain and cargo-fuzz:" >&2
  echo "  rustup toolchain install nightly && cargo install --locked cargo-fuzz" >&2
  exit 2
fi
# The models' threads have stacks of their own, which address sanitizing does not follow; there is
# next to no unsafe code of this project's to sanitize.
for directory in fuzz/seeds/*/; do
  target=$(basename "$directory")
  dictionary=fuzz/dictionaries/$target.dict
  options=(-max_total_time="$seconds" -max_len=4096 -timeout=60 -print_final_stats=1)
  if [ -e "$dictionary" ]; then options+=(-dict="$dictionary"); fi
  mkdir -p "fuzz/corpus/$target"
  echo "== $target, $seconds s"
  cargo +nightly fuzz run --sanitizer none "$target" \
    "fuzz/corpus/$target" "$directory" -- "${options[@]}"
done
