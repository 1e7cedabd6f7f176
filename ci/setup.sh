#!/usr/bin/env bash
# Installs what the other scripts need and a fresh machine may not have: the components rustfmt and
# clippy, cargo-deny, and a browser for the tests of the HTML report.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! cargo fmt --version >/dev/null 2>&1 || ! cargo clippy --version >/dev/null 2>&1; then
  rustup component add rustfmt clippy
fi
if ! cargo deny --version >/dev/null 2>&1; then
  cargo install --locked cargo-deny
fi
# Without a browser these tests say that they are skipped, except in CI.
if ! command -v chromium chromium-browser google-chrome >/dev/null && command -v apt-get >/dev/null; then
  sudo=$([ "$(id -u)" = 0 ] || echo sudo)
  $sudo apt-get update -qq || true
  $sudo apt-get install -y -qq --no-install-recommends chromium || echo "no browser could be installed"
fi
