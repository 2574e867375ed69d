#!/usr/bin/env bash
# Published clients of other services, unmodified, against `drag-solver serve`: they solve, are refused, report, and ask
# for the balance. Installs them from their registries into target/clients, pinned.
#   bash tests/clients/run.sh [DRAG_SOLVER]     the binary; else it is built
set -euo pipefail
cd "$(dirname "$0")/../.."
here=$PWD/tests/clients
there=$PWD/target/clients
mkdir -p "$there"

if [ $# -gt 0 ]; then
    binary=$(realpath "$1")
else
    cargo build --quiet --locked -p drag-solver-cli
    binary=${CARGO_TARGET_DIR:-$PWD/target}/debug/drag-solver
fi

# -- the clients

venv() { # NAME REQUIREMENTS
    cmp -s "$2" "$there/$1/requirements.txt" && return
    rm -rf "${there:?}/$1"
    python3 -m venv "$there/$1"
    "$there/$1/bin/pip" install --quiet --disable-pip-version-check --no-deps --require-hashes -r "$2"
    cp "$2" "$there/$1/requirements.txt"
}

packages() {
    cmp -s "$here/node/package-lock.json" "$there/node/package-lock.json" && return
    rm -rf "$there/node" "$there/node.new" && mkdir "$there/node.new"
    cp "$here"/node/package*.json "$there/node.new/"
    (cd "$there/node.new" && npm ci --silent --no-fund --no-audit)
    mv "$there/node.new" "$there/node"
}

installing=()
venv python "$here/python/requirements.txt" & installing+=($!)
# Two clients are called `twocaptcha`, and two do not agree about pydantic.
venv others "$here/python/requirements-others.txt" & installing+=($!)
packages & installing+=($!)
for one in "${installing[@]}"; do wait "$one"; done
cp "$here"/node/*.mjs "$here"/node/*.cjs "$there/node/"

# -- a network of its own, so that the services' names can lead to the gateway

names="2captcha.com rucaptcha.com api.anti-captcha.com omocaptcha.com"
if [ "${IN_NETWORK:-}" = "" ] && command -v ip >/dev/null; then
    for own in "-n -m" "-r -n -m"; do # as root, and as whoever may be root in a place of its own
        # shellcheck disable=SC2086 # one option each
        if unshare $own bash -c 'ip link set lo up && mount --bind /etc/hosts /etc/hosts' 2>/dev/null; then
            IN_NETWORK=1 exec unshare $own bash "$here/run.sh" "$binary"
        fi
    done
fi
if [ "${IN_NETWORK:-}" = "" ]; then
    echo "SKIPPED: a network of their own for clients with a constant address (needs \`ip\`, and root or user namespaces)"
    echo "         instead the services' names are looked up elsewhere inside of them"
else
    ip link set lo up
    printf '127.0.0.1 localhost %s\n' "$names" >"$there/hosts"
    mount --bind "$there/hosts" /etc/hosts
fi

# -- the gateway

work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT
export DRAG_SOLVER_STORE=$work/drags.db
KEY=$("$binary" -q keys add rich --per-day 5)
POOR_KEY=$("$binary" -q keys add poor --total 0)
PICTURE=$work/picture.png
DRAG=$("$binary" challenge --seed 7 --out "$PICTURE")
# A picture that the sandbox has no answer for.
UNSOLVABLE=$work/unsolvable.png
python3 - "$UNSOLVABLE" <<'PYTHON'
import struct, sys, zlib
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
rows = b"".join(b"\0" + bytes((x * y) % 251 for x in range(300)) for y in range(500))
open(sys.argv[1], "wb").write(
    b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 300, 500, 8, 0, 0, 0, 0))
    + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
PYTHON
tls=127.0.0.1:0
[ "${IN_NETWORK:-}" = "" ] || tls=127.0.0.1:443
# shellcheck disable=SC2086 # one name each
"$binary" serve --provider sandbox --listen 127.0.0.1:0 --tls-listen "$tls" --tls-authority "$work/ca.pem" \
    --tls-self-signed localhost 127.0.0.1 $names >"$work/out" 2>"$work/log" &
for _ in $(seq 100); do
    [ "$(grep -c '^listening' "$work/out")" = 2 ] && break
    sleep 0.1
done
HTTP=$(sed -n 's|^listening on http://||p' "$work/out")
TLS=localhost:$(sed -n 's|^listening on https://.*:||p' "$work/out")
NAMES=
[ "${IN_NETWORK:-}" != "" ] || NAMES=$names
export NAMES KEY POOR_KEY PICTURE UNSOLVABLE DRAG HTTP TLS
export REQUESTS_CA_BUNDLE=$work/ca.pem SSL_CERT_FILE=$work/ca.pem NODE_EXTRA_CA_CERTS=$work/ca.pem

# -- the tests

failed=0
try() { echo "-- $1" && shift && "$@" || failed=1; }
cd "$here/python"
export PYTHONDONTWRITEBYTECODE=1
try "Python, plain HTTP" "$there/python/bin/python" -W ignore -m unittest -q test_plain_http
try "Python, TLS" "$there/python/bin/python" -W ignore -m unittest -q test_tls
try "Python, others" "$there/others/bin/python" -W ignore -m unittest -q test_others
try "Node, plain HTTP" node --test "$there/node/plain_http.test.mjs"
try "Python, constant addresses" "$there/python/bin/python" -W ignore -m unittest -q test_constant_host
try "Node, constant addresses" node --require "$there/node/names.cjs" --test "$there/node/constant_host.test.mjs"
for key in "$KEY" "$POOR_KEY"; do
    if grep -q "$key" "$work/log" "$work/out" || grep -qa "$key" "$work"/drags.db*; then
        echo "a key is in the log or in the store" >&2 && failed=1
    fi
done
[ $failed = 0 ] || cat "$work/log" >&2
exit $failed
