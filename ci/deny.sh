#!/usr/bin/env bash
# Licences, sources and duplicates of what the workspace depends on, by deny.toml.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo deny --workspace --all-features check bans licenses sources

# Known vulnerabilities are a repository of their own, on a host that not every machine can reach.
# A run without that host says so and goes on: what it checks must not depend on the network.
database=https://github.com/RustSec/advisory-db
if timeout 20 git ls-remote --exit-code "$database" HEAD >/dev/null 2>&1; then
  cargo deny --workspace --all-features check advisories
else
  echo "advisories not checked: $database cannot be reached from here"
fi
