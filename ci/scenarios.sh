#!/usr/bin/env bash
# Checks every scenario against the answer in its file, by the explorer and by the oracle.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo gordian scenario check --oracle "$@" scenarios
