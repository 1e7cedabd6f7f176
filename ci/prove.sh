#!/usr/bin/env bash
# The main job: explores the autotrader's locking protocol and says what is proved.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo gordian test -p model_tests "$@"
