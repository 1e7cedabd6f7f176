#!/usr/bin/env bash
# The gate: all proofs and scenarios, judged by the policy in .config/gordian.toml.
#
#   ci/gate.sh                     everything here
#   ci/gate.sh --shard 2/4         the second of four machines; leaves target/gordian/shards/2-of-4.jsonl
#   ci/gate.sh --merge DIR...      the verdict on what all machines have left, in any batch system
#   ci/gate.sh --changed main      only what has changed, and what depends on it
set -euo pipefail
cd "$(dirname "$0")/.."

exec cargo gordian gate --profile ci "$@"
