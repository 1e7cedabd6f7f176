#!/usr/bin/env bash
# Fuzzes the service's HTTP surface by the description that it serves, with a tool that is not ours:
# no 5xx, no status and no body that is not described, no bad input accepted. Needs Python 3 and,
# for the first time, PyPI. (The test `surface` sends requests of its own kind, without a description.)
set -euo pipefail
cd "$(dirname "$0")/.."

version=4.32.5
venv=${XDG_CACHE_HOME:-$HOME/.cache}/gordian/schemathesis-$version
if [ ! -x "$venv/bin/st" ]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install -q "schemathesis==$version"
fi

cargo build --release -q -p autotrader --bin autotrader
service=$PWD/target/release/autotrader
work=$(mktemp -d)
cd "$work"
AUTOTRADER_TRADING__PASS_INTERVAL_MS=50 AUTOTRADER_LOG__FORMAT=json \
  "$service" --listen 127.0.0.1:0 2>log &
pid=$!
trap 'kill "$pid" 2>/dev/null; wait "$pid" 2>/dev/null || true; rm -rf "$work"' EXIT
for _ in $(seq 100); do
  address=$(sed -n 's/.*"message":"listening","address":"\([^"]*\)".*/\1/p' log)
  [ -n "$address" ] && break
  sleep 0.1
done
if [ -z "$address" ]; then
  cat log
  exit 1
fi

# The stream of events has no end to wait for.
"$venv/bin/st" run "http://$address/openapi.json" --exclude-path /events --checks all \
  --seed "${SEED:-1}" --max-examples 1000 --generation-database none --request-timeout 10 --no-color
# It is as well as before.
kill -0 "$pid"
