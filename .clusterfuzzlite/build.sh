#!/bin/bash -eu
# Called by ClusterFuzzLite and OSS-Fuzz alike: every fuzz target, its seeds and its dictionary.
cd "$SRC/gordian"
cargo fuzz build -O --debug-assertions

built=fuzz/target/x86_64-unknown-linux-gnu/release
for directory in fuzz/seeds/*/; do
  target=$(basename "$directory")
  cp "$built/$target" "$OUT/"
  zip --quiet --junk-paths "$OUT/${target}_seed_corpus.zip" "$directory"*
  if [ -e "fuzz/dictionaries/$target.dict" ]; then
    cp "fuzz/dictionaries/$target.dict" "$OUT/"
  fi
done
