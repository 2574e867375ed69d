#!/usr/bin/env bash
# How long published clients wait for an answer at their default pace, straight to a provider and through the gateway:
# jobs of 1, 3 and 8 seconds. The provider is an emulator. Run tests/clients/run.sh first: it installs the clients.
set -euo pipefail
cd "$(dirname "$0")/../.."
cargo build --quiet --locked --release -p drag-solver-cli
cargo bench --quiet --locked -p drag-solver-benches --bench gateway --no-run
bench=$(ls -t target/release/deps/gateway-* | grep -v '\.d$' | head -1)
binary=$PWD/target/release/drag-solver
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT
export KEY=0123456789abcdef0123456789abcdef OMOCAPTCHA_API_TOKEN=secret

listening() { # FILE: waits for the first line
    for _ in $(seq 100); do
        [ -s "$1" ] && break
        sleep 0.1
    done
    sed -n '1s|^listening on ||p' "$1"
}

places=()
for seconds in 1 3 8; do
    "$bench" emulator "$seconds" >"$work/emulator$seconds" &
    emulator=$(listening "$work/emulator$seconds")
    cat >"$work/chain$seconds.toml" <<EOF
[[providers]]
kind = "omocaptcha"
base_url = "$emulator/api"
poll = { first = "200ms", every = "200ms" } # it is ours, and does not mind
EOF
    "$binary" serve --config "$work/chain$seconds.toml" --listen 127.0.0.1:0 >"$work/gateway$seconds" 2>>"$work/log" &
    places+=("$seconds,$emulator,$(listening "$work/gateway$seconds")")
done
mkdir "$work/pictures"
for seed in $(seq 24); do
    "$binary" challenge --seed "$seed" --size 300x600 --out "$work/pictures/$(printf %02d "$seed").png" >/dev/null
done
target/clients/python/bin/python -W ignore tests/clients/python/pace.py "$work/pictures" "${places[@]}" || { cat "$work/log" >&2; exit 1; }
