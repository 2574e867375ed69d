#!/usr/bin/env bash
# The gateway's pages in a real browser: Debian's Chromium, driven by playwright-core, against `drag-solver serve`.
# Installs what it needs from npm into target/browser, pinned.
#   bash tests/browser/run.sh [DRAG_SOLVER] [NAME]    the binary, else it is built; only checks with NAME in their name
set -euo pipefail
cd "$(dirname "$0")/../.."
here=$PWD/tests/browser
there=$PWD/target/browser

if [ $# -gt 0 ]; then
    binary=$(realpath "$1")
else
    cargo build --quiet --locked -p drag-solver-cli
    binary=${CARGO_TARGET_DIR:-$PWD/target}/debug/drag-solver
fi
if ! cmp -s "$here/package-lock.json" "$there/package-lock.json"; then
    rm -rf "$there" && mkdir -p "$there.new"
    cp "$here"/package*.json "$there.new/"
    (cd "$there.new" && npm ci --silent --no-fund --no-audit)
    mv "$there.new" "$there"
fi
cp "$here"/*.mjs "$there/"
DRAG_SOLVER=$binary ONLY=${2:-} timeout 900 node "$there/main.mjs"
