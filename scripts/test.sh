#!/usr/bin/env bash
#
# Runs every test of the workspace, doc tests included, and fails when one fails.
#
# Installs what the tests drive besides this project (curl, wrk, the packages websockets and requests
# of Python, and Chromium with a font) when it is missing and the system has apt-get. Needs no standard
# input. Arguments go to `cargo test`: `scripts/test.sh -p constellation-server placement` runs a part.
#
# CONSTELLATION_TEST_PYTHON names the Python that runs examples/python-worker and the tests' clients and
# servers; by default the first of python3 and /usr/bin/python3 that has both packages.
# CONSTELLATION_TEST_CHROMIUM names the browser; by default it is chromium.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

has() { command -v "$1" >/dev/null 2>&1; }

# Prints the Python to use; fails when none has the packages.
find_python() {
    local python
    for python in "${CONSTELLATION_TEST_PYTHON:-}" python3 /usr/bin/python3; do
        if [ -n "$python" ] && "$python" -c 'import requests, websockets' >/dev/null 2>&1; then
            command -v "$python"
            return
        fi
    done
    return 1
}

# Installs Debian packages. The package lists are fetched only when the install fails without.
install_packages() {
    local privileged=()
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "test.sh: please install what these Debian packages hold: $*" >&2
        exit 1
    fi
    if [ "$(id -u)" -ne 0 ]; then
        privileged=(sudo)
    fi
    local install=("${privileged[@]}" env DEBIAN_FRONTEND=noninteractive
        apt-get install -y -q --no-install-recommends "$@")
    echo "test.sh: installing $*"
    if ! "${install[@]}" >/dev/null 2>&1; then
        "${privileged[@]}" apt-get update -q
        "${install[@]}"
    fi
}

missing=()
has curl || missing+=(curl)
has wrk || missing+=(wrk)
has "${CONSTELLATION_TEST_CHROMIUM:-chromium}" || missing+=(chromium fonts-dejavu-core)
find_python >/dev/null || missing+=(python3 python3-requests python3-websockets)
if [ "${#missing[@]}" -gt 0 ]; then
    install_packages "${missing[@]}"
fi
CONSTELLATION_TEST_PYTHON="$(find_python)" || {
    echo "test.sh: no Python with the packages requests and websockets was found" >&2
    exit 1
}
export CONSTELLATION_TEST_PYTHON

# The tests of constellation-server start the programs of other packages, which `cargo test` does
# not build for them.
cargo build --workspace --bins --locked

output="$(mktemp)"
trap 'rm -f "$output"' EXIT
outcome=0
if [ "$#" -eq 0 ]; then
    set -- --workspace
fi
cargo test --locked --no-fail-fast "$@" 2>&1 | tee "$output" || outcome=$?

# One line for the whole run; cargo gives one for each test binary.
read -r passed failed skipped < <(awk '
    /^test result: / {
        for (field = 2; field <= NF; field++) {
            if ($field == "passed;") passed += $(field - 1)
            if ($field == "failed;") failed += $(field - 1)
            if ($field == "ignored;") skipped += $(field - 1)
        }
    }
    END { print passed + 0, failed + 0, skipped + 0 }
' "$output")

echo
echo "tests: $passed passed, $failed failed, $skipped skipped"
if [ "$outcome" -eq 0 ] && [ "$passed" -eq 0 ]; then
    echo "test.sh: no test ran" >&2
    outcome=1
fi
exit "$outcome"
