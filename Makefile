# Every recipe is a line of cargo or a script, so it also works by copy and paste.

CARGO_DENY = 0.20.2

.PHONY: demo check test peers instructions instructions-recorded bench bench-peers fuzz soak doc deny typos clean

# The main job: six sites, their trunk groups and PSAPs, and 20 s of emergency calls.
demo:
	cargo run --release -- run configs/campaigns/demo.toml

# What must be clean before a commit.
check:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items

# All tests, with the programs that they talk to.
test: peers
	cargo build --workspace
	./tests/run-tests.sh
	$(MAKE) instructions

# Instructions of a message, a call, a packet: fails when one takes a tenth more than is on record. For the whole workspace,
# as the tests are built: nothing is compiled again.
instructions:
	cargo bench --profile dev --workspace --bench instructions

# Records what they take now.
instructions-recorded:
	cargo bench --profile dev --workspace --bench instructions -- --record

# SIPp, baresip, Kamailio, tshark, Chromium, sngrep, SIPVicious, valgrind and faketime: installed when root, named otherwise.
peers:
	./tests/install-peers.sh

# Figures: what a message, a call, the generator, a relayed packet and a report cost. Prints them and writes target/bench.json,
# target/bench-generator.json, target/bench-relay.json and target/bench-report.json.
bench:
	cargo build --release
	cargo bench -p system-tests --bench instructions -- --record
	cargo bench -p system-tests --bench nodes
	cargo bench -p system-tests --bench network
	cargo bench -p system-tests --bench generator
	cargo bench -p system-tests --bench relay
	cargo bench -p system-tests --bench report

# Our boxes beside SIPp, Kamailio, rtpengine and a bare relay, in one run of some 15 minutes: prints a table of ratios and writes
# target/bench-peers.json. QUICK=1 takes two, for a look.
bench-peers:
	./tests/install-peers.sh --bench
	cargo build --release
	cargo bench -p system-tests --bench peers -- $(if $(QUICK),--quick)

# libFuzzer at TARGET, or at each target in turn, for SECONDS; needs a nightly compiler and a C++ compiler.
SECONDS = 60
fuzz:
	./tests/fuzz.sh $(SECONDS) $(TARGET)

# Everything at once on real sockets for MINUTES, RATE calls in a second beside the waves: a curve and a verdict.
MINUTES = 60
RATE = 20
soak:
	cargo build --workspace
	SOAK_SECONDS=$$(($(MINUTES) * 60)) SOAK_RATE=$(RATE) cargo test --workspace --test soak -- --ignored --nocapture

doc:
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --open

# Licences, sources, and who may depend on what; then advisories, from a database that must be fetched. Installs cargo-deny where it is missing.
deny:
	command -v cargo-deny >/dev/null || cargo install --locked --version $(CARGO_DENY) cargo-deny
	cargo deny check bans licenses sources
	cargo deny check advisories

# Slips of the pen in code and documents; needs `cargo install typos-cli` or `pip install typos`.
typos:
	typos

clean:
	cargo clean
