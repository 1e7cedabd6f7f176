#!/usr/bin/env bash
# Says which files are not formatted. `cargo fmt --all` formats them.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo fmt --all -- --check
