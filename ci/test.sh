#!/usr/bin/env bash
# All tests, with the feature `model` as the workspace's own packages turn it on, and those of the
# library without it. The seeds of the fuzz targets are replayed on the way.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo test --workspace
cargo test -p gordian
