#!/usr/bin/env bash
# Measures Constellation beside nginx, HAProxy and no proxy at all: installs the peers where they are
# missing (Debian packages), builds in release mode, and prints tables. Arguments go to `compare run`;
# `scripts/bench.sh --help` lists them.
set -euo pipefail
cd "$(dirname "$0")/.."

install() {
    local missing=()
    for program in "$@"; do
        command -v "$program" >/dev/null 2>&1 || [ -x "/usr/sbin/$program" ] || missing+=("$program")
    done
    [ ${#missing[@]} -eq 0 ] && return
    local packages=("${missing[@]/#nginx/nginx-light}")
    local apt="apt-get"
    [ "$(id -u)" -eq 0 ] || apt="sudo apt-get"
    # The server that a package brings is not to be started.
    $apt update -q
    RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive $apt install -y -q --no-install-recommends "${packages[@]}"
}

install nginx haproxy wrk valgrind
cargo build --release -p constellation-server -p echo-worker -p compare
PATH="$PATH:/usr/sbin" exec target/release/compare run "$@"
