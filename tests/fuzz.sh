#!/bin/sh
# libFuzzer for SECONDS at each TARGET of tests/fuzz/ in turn, or at all of them. What it finds stays in target/fuzz/.
set -eu
cd "$(dirname "$0")/.."
seconds=$1
shift
[ $# -gt 0 ] || set -- $(sed -n 's/^    \([a-z_]*\): [a-z]*::[a-z_]*, [0-9_]*;$/\1/p' tests/fuzz/main.rs)
for target in "$@"; do
    corpus=target/fuzz/$target
    mkdir -p "$corpus/corpus" "$corpus/crashes"
    # The seeds that the tests begin with, under names of their own.
    SEEDS_OF="$target" SEEDS_TO="$PWD/$corpus/corpus" \
        cargo test --quiet --workspace --test fuzz -- --exact seeds::write_down --ignored
    cargo +nightly bolero test "$target" -p system-tests --engine libfuzzer --sanitizer NONE -T "${seconds}s" \
        --corpus-dir "$PWD/$corpus/corpus" --crashes-dir "$PWD/$corpus/crashes"
done
