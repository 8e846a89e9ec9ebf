#!/bin/sh
# Runs all tests: with cargo-nextest where it is installed, otherwise with cargo test. Then a soak of two minutes, alone: beside
# others it would make them late, and they it.
set -eu
if cargo nextest --version >/dev/null 2>&1; then
    cargo nextest run --workspace --no-fail-fast
    cargo test --workspace --doc
else
    cargo test --workspace --no-fail-fast
fi
SOAK_SECONDS=100 cargo test --workspace --test soak -- --ignored
