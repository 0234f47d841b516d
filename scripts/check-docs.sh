#!/usr/bin/env bash
#
# Checks what a reader of the documentation follows: that every relative link and its heading
# exist, that every file named in backticks exists, and that every test which
# docs/architecture.md names as a guard is there. Builds nothing and changes nothing.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

faults=0
fault() {
    echo "check-docs: $*" >&2
    faults=$((faults + 1))
}

documents() { find . -name '*.md' -not -path './target/*' -not -path './.git/*' | sort; }

# A document without its fenced blocks, whose contents are code and not links.
prose() { awk '/^[[:space:]]*```/ { fenced = !fenced; next } !fenced' "$1"; }

# The anchors that the headings of a document get.
anchors() {
    prose "$1" | sed -n 's/^#\{1,6\} //p' | tr '[:upper:]' '[:lower:]' |
        sed 's/[^a-z0-9 _-]//g; s/ /-/g'
}

check_link() {
    local document="$1" link="$2" path anchor target
    path="${link%%#*}"
    anchor=""
    if [ "$path" != "$link" ]; then
        anchor="${link#*#}"
    fi
    if [ -z "$path" ]; then
        target="$document"
    else
        target="$(dirname "$document")/$path"
    fi
    if [ ! -e "$target" ]; then
        fault "$document: dead link $link"
    elif [ -n "$anchor" ] && ! anchors "$target" | grep -qxF -- "$anchor"; then
        fault "$document: $path has no heading for #$anchor"
    fi
}

links=0
while IFS= read -r document; do
    while IFS= read -r link; do
        links=$((links + 1))
        check_link "$document" "$link"
    done < <(prose "$document" | grep -oP '\]\(\K[^)\s]+' | grep -vE '^(https?|mailto):' || true)
done < <(documents)

# Files named in backticks, from the root of the repository.
paths=0
while IFS= read -r path; do
    paths=$((paths + 1))
    [ -e "$path" ] || fault "a document names $path, which does not exist"
done < <(documents | while IFS= read -r document; do prose "$document"; done |
    grep -oP '`\K(constellation-(actors|client|server)|bench|docs|examples|scripts)/[A-Za-z0-9_./-]+(?=`)' |
    sort -u || true)

# A guard is a name in backticks of at least four words; Rust's names with fewer are not tests.
guards=0
while IFS= read -r guard; do
    guards=$((guards + 1))
    grep -rqE "fn $guard\(" --include='*.rs' constellation-* examples bench ||
        fault "docs/architecture.md: there is no test $guard"
done < <(grep -oP '`\K[a-z0-9]+(_[a-z0-9]+){3,}(?=`)' docs/architecture.md | sort -u || true)

echo "$links links, $paths paths and $guards guarding tests checked, $faults faults"
[ "$guards" -gt 0 ] || fault "docs/architecture.md names no test"
[ "$faults" -eq 0 ]
