#!/bin/sh
# Runs all tests: with cargo-nextest where it is installed, otherwise with cargo test.
set -eu
if cargo nextest --version >/dev/null 2>&1; then
    cargo nextest run --workspace --no-fail-fast
    cargo test --workspace --doc
else
    cargo test --workspace --no-fail-fast
fi
