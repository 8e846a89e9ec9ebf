#!/bin/sh
# libFuzzer for SECONDS at each TARGET of tests/fuzz/ in turn, or at all of them. What it finds stays in target/fuzz/.
#
# It is what `cargo bolero test --engine libfuzzer` does, but that builds all tests of a package, and those without a target of
# bolero's cannot be linked.
set -eu
cd "$(dirname "$0")/.."
seconds=$1
shift
[ $# -gt 0 ] || set -- $(sed -n 's/^    \([a-z_]*\): [a-z]*::[a-z_]*, [0-9_]*;$/\1/p' tests/fuzz/main.rs)

platform=$(rustc +nightly -vV | sed -n 's/^host: //p')
flags="--cfg fuzzing -Cpasses=sancov-module --cfg fuzzing_libfuzzer"
for what in inline-8bit-counters level=4 pc-table trace-compares stack-depth; do
    flags="$flags -Cllvm-args=-sanitizer-coverage-$what"
done
program=$(BOLERO_FUZZER=libfuzzer RUSTFLAGS="$flags" cargo +nightly test --quiet --profile fuzz --package system-tests --test fuzz \
    --target "$platform" --target-dir target/fuzz/build --no-run --message-format json |
    sed -n 's/.*"executable":"\([^"]*\/fuzz-[^"]*\)".*/\1/p' | tail -n 1)

for target in "$@"; do
    folder=$PWD/target/fuzz/$target
    mkdir -p "$folder/corpus" "$folder/crashes"
    # The seeds that the tests begin with, under names of their own.
    (cd tests && SEEDS_OF=$target SEEDS_TO=$folder/corpus "$program" --quiet --exact seeds::write_down --ignored)
    echo "$target: $seconds s"
    (cd tests && BOLERO_TEST_NAME=$target BOLERO_LIBTEST_HARNESS=1 \
        BOLERO_LIBFUZZER_ARGS="$folder/corpus -artifact_prefix=$folder/crashes/ -timeout=10 -max_len=4096 -max_total_time=$seconds -print_final_stats=1" \
        "$program" --quiet --exact "$target" --nocapture)
done
