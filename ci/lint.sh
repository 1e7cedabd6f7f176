#!/usr/bin/env bash
# Every lint of every target is an error, and so is every warning about the documentation.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo clippy --workspace --all-targets --all-features -- -D warnings
# The face without the engines: the feature `model` off is a build of its own.
cargo clippy -p gordian --all-targets -- -D warnings
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --all-features --no-deps
