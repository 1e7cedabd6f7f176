#!/usr/bin/env bash
# Runs what models do when an execution ends, and the primitives, under address sanitizing, with a
# nightly toolchain: stacks that are left behind, and destructors that run at the end, must not touch
# what is gone. (Miri cannot run it: it does not know the assembly that switches stacks.)
#
#   ci/sanitize.sh            the tests below
#   ci/sanitize.sh ARGS...    what is given, as arguments of `cargo test`
set -euo pipefail
cd "$(dirname "$0")/.."

host=$(rustc +nightly -vV | sed -n 's/^host: //p')
export RUSTFLAGS="-Zsanitizer=address" CARGO_TARGET_DIR=$PWD/target/sanitize
# Who is left behind keeps what it owns: that is no leak to report. And frames that are never left
# cannot be told from frames that still are.
export ASAN_OPTIONS="detect_leaks=0:detect_stack_use_after_return=0:${ASAN_OPTIONS:-}"
tests=(--test hostile --test scopes --test primitives --test engine --test loom)
[ $# -gt 0 ] && tests=("$@")
# One test wants nothing on stderr, where the sanitizer says what it makes of the stacks of loom.
exec cargo +nightly test --target "$host" -p gordian --all-features \
  --features corosensei/sanitizer "${tests[@]}" -- --skip panics_are_quiet_after_loom
