#!/usr/bin/env bash
# The gateway's own API: the examples of docs/gateway.md run, and `drag-solver serve` is held against the description
# that it serves, with requests that are generated from it (schemathesis, installed into target/clients, pinned).
#   bash tests/clients/openapi.sh [DRAG_SOLVER]     the binary; else it is built
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
here=$PWD/tests/clients/schemathesis
there=$PWD/target/clients
mkdir -p "$there"

if [ $# -gt 0 ]; then
    binary=$(realpath "$1")
else
    cargo build --quiet --locked -p drag-solver-cli
    binary=${CARGO_TARGET_DIR:-$PWD/target}/debug/drag-solver
fi

if ! cmp -s "$here/requirements.txt" "$there/schemathesis/requirements.txt"; then
    rm -rf "$there/schemathesis"
    python3 -m venv "$there/schemathesis"
    "$there/schemathesis/bin/pip" install --quiet --disable-pip-version-check --no-deps -r "$here/requirements.txt"
    cp "$here/requirements.txt" "$there/schemathesis/requirements.txt"
fi
python=$there/schemathesis/bin/python

# -- the gateway

work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT
export DRAG_SOLVER_STORE=$work/drags.db
KEY=$("$binary" -q keys add openapi --total 5)
export KEY PICTURE=$work/picture.png
"$binary" challenge --seed 7 --out "$PICTURE" >"$work/drag"
"$binary" serve --provider sandbox --listen 127.0.0.1:0 >"$work/out" 2>"$work/log" &
for _ in $(seq 100); do
    grep -q '^listening' "$work/out" && break
    sleep 0.1
done
URL=$(sed -n 's|^listening on ||p' "$work/out")
"$binary" health --url "$URL"

failed=0
fail() { echo "FAILED: $1" >&2 && failed=1; }

# -- the examples

"$python" - "$root/docs/gateway.md" "$work" "$URL" <<'PYTHON'
import pathlib, re, sys
page, work, url = sys.argv[1:]
text = pathlib.Path(page).read_text()
section = re.search(r"^## Its own API\n(.*?)^## ", text, re.S | re.M)[1]
blocks = re.findall(r"^```(sh|python|js)\n(.*?)^```$", section, re.S | re.M)
kinds = [kind for kind, _ in blocks]
assert kinds == ["sh", "python", "python", "js"], f"the examples are not those that are known: {kinds}"
ends = {"sh": "sh", "python": "py", "js": "mjs"}
for number, (kind, code) in enumerate(blocks):
    code = code.replace("http://127.0.0.1:8080", url)
    assert url in code
    pathlib.Path(work, f"example{number}.{ends[kind]}").write_text(code)
PYTHON
cd "$work"
for example in example*; do
    case $example in
        *.sh) run=(bash -e) ;;
        *.py) run=("$python") ;;
        *.mjs) run=(node) ;;
    esac
    if ! command -v "${run[0]}" >/dev/null; then
        echo "SKIPPED: $example (no ${run[0]})"
        continue
    fi
    echo "-- $example"
    "${run[@]}" "$example" >told.json 2>told.err || { cat told.err >&2 && fail "$example"; continue; }
    # Solved, and with the true drag; and its members are in the order in which they are read.
    "$python" - "$work" <<'PYTHON' || fail "$example"
import json, pathlib, sys
work = pathlib.Path(sys.argv[1])
told = json.loads((work / "told.json").read_text())
assert list(told) == ["id", "status", "drag", "solver", "spent_usd", "created", "ended"], told
drag = [told["drag"][end] for end in ("start", "end")]
shown = " -> ".join(f"{point['x']:g},{point['y']:g}" for point in drag)
assert told["status"] == "solved" and shown == (work / "drag").read_text().strip(), told
PYTHON
done

# -- generated requests

export SCHEMATHESIS_HOOKS=hooks PYTHONPATH=$here PYTHONDONTWRITEBYTECODE=1
hold() { # CHECKS..
    timeout 120 "$there/schemathesis/bin/schemathesis" --config-file "$here/schemathesis.toml" run "$URL/openapi.json" \
        --header "Authorization: Bearer $KEY" --seed 14 --no-color --request-timeout 10 "$@" \
        || fail "the description and the server differ"
}
hold --exclude-checks ignored_auth --max-examples 30
# Each wrong key makes the gateway slower, so that these are few.
hold --checks ignored_auth --phases fuzzing --max-examples 2 --mode positive --warnings off

if grep -q "$KEY" "$work/log" "$work/out" || grep -qa "$KEY" "$work"/drags.db*; then
    fail "a key is in the log or in the store"
fi
if grep -q "panicked" "$work/log"; then
    fail "the gateway panicked"
fi
[ $failed = 0 ] || tail -50 "$work/log" >&2
exit $failed
