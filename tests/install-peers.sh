#!/bin/sh
# Installs the programs that the interop tests talk to, the browser that looks at the report of a run, and valgrind, which
# counts instructions; with --bench those that `make bench-peers` compares with. Does nothing, and says nothing, when all are there.
set -eu

# program:package; baresip-core is baresip without a desktop.
peers="sipp:sip-tester baresip:baresip-core tshark:tshark kamailio:kamailio chromium:chromium svmap:sipvicious sngrep:sngrep valgrind:valgrind faketime:faketime openssl:openssl"

# What `make bench-peers` compares with.
if [ "${1-}" = "--bench" ]; then
    peers="sipp:sip-tester kamailio:kamailio rtpengine:rtpengine-daemon"
fi

# Kamailio is where only root's PATH leads.
PATH="$PATH:/usr/sbin:/sbin"

missing=""
for peer in $peers; do
    command -v "${peer%%:*}" >/dev/null 2>&1 || missing="$missing ${peer##*:}"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "error: the Debian packages$missing are needed, and there is no apt-get here;" \
        "install these programs by other means" >&2
    exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
    echo "error: the packages$missing are needed; run: sudo apt-get install -y$missing" >&2
    exit 1
fi

# tshark asks whether users may capture; the services of the packages must not start.
export DEBIAN_FRONTEND=noninteractive
export RUNLEVEL=1
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install() {
    # $missing is a list of words.
    # shellcheck disable=SC2086
    apt-get install -y --no-install-recommends $missing >"$log" 2>&1
}
echo "installing$missing"
if ! install; then
    apt-get update >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
    install || { cat "$log" >&2; exit 1; }
fi
