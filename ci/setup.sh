#!/usr/bin/env bash
# Installs what the other scripts need and a fresh machine may not have: the components rustfmt and
# clippy, and cargo-deny.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! cargo fmt --version >/dev/null 2>&1 || ! cargo clippy --version >/dev/null 2>&1; then
  rustup component add rustfmt clippy
fi
if ! cargo deny --version >/dev/null 2>&1; then
  cargo install --locked cargo-deny
fi
