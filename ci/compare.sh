#!/usr/bin/env bash
# The same AB-BA program as a test under loom, shuttle and Gordian: what each of them says of the
# deadlock. Prints a table and the outputs, cut where they are long; leaves them whole in
# target/compare/. README.md quotes it.
set -euo pipefail
cd "$(dirname "$0")/.."
unset RUST_BACKTRACE RUST_LIB_BACKTRACE GORDIAN_REPORT

lines_max=45
out=target/compare
mkdir -p "$out"
version() { sed -n "/^name = \"$1\"$/{n;s/version = \"\(.*\)\"/\1/p}" Cargo.lock | head -1; }

rows=()
for engine in loom shuttle gordian; do
    # What only tells of the build is none of the output.
    cargo test --quiet -p gordian-benches --example "abba_$engine" --no-run
    program=$(cargo test --quiet -p gordian-benches --example "abba_$engine" --no-run \
        --message-format=json | sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | tail -1)
    file="$out/$engine.txt"
    status=0
    (cd benches && "$program" --test-threads=1) >"$file" 2>&1 || status=$?
    case $status in
    134) ended="abort" ;;
    101) ended="failed test" ;;
    *) ended="exit $status" ;;
    esac
    others=$(grep -c "something_else .* ok" "$file" || true)
    rows+=("$(printf '%-8s %-7s %-12s %5s   %s' "$engine" "$(version "$engine")" "$ended" \
        "$(wc -l <"$file")" "$([ "$others" -gt 0 ] && echo yes || echo no)")")
done

printf '%-8s %-7s %-12s %5s   %s\n' engine version ended lines "the other test reports"
printf '%s\n' "${rows[@]}"
for engine in loom shuttle gordian; do
    file="$out/$engine.txt"
    printf '\n--- %s %s\n' "$engine" "$(version "$engine")"
    head -n "$lines_max" "$file" | cut -c -200
    rest=$(($(wc -l <"$file") - lines_max))
    if [ "$rest" -gt 0 ]; then echo "… $rest more lines in $file"; fi
done
