#!/usr/bin/env bash
# What it costs to depend on the library, beside two published clients of such services: crates that are
# compiled, a cold build, and the size of a release program that solves one picture.
#   bash benches/build_cost.sh           crates, and seconds of cold debug builds: ROUNDS of them (5), in turns
#   bash benches/build_cost.sh sizes     bytes of release programs, and of the command
# The crates are fetched first: no second is spent on the network.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export CARGO_TERM_COLOR=never CARGO_INCREMENTAL=0
unset CARGO_TARGET_DIR

# A program in $work/NAME that depends on DEPENDENCIES, with a main that does nothing.
program() {
    local name=$1 dependencies=$2
    mkdir -p "$work/$name/src"
    echo 'fn main() {}' >"$work/$name/src/main.rs"
    printf '[package]\nname = "solve-%s"\nversion = "0.1.0"\nedition = "2024"\n\n[dependencies]\n%s\n\n%s\n' \
        "$name" "$dependencies" '[workspace]' >"$work/$name/Cargo.toml"
}

# Packages that are compiled for this machine, the program itself left out.
crates() {
    (cd "$work/$1" && cargo tree --edges "$2" --prefix none --no-dedupe | awk '{ print $1, $2 }' |
        sort -u | grep -cv "^solve-")
}

tokio='tokio = { version = "1", features = ["macros", "rt"] }'
ours="drag-solver = { path = \"$root/crates/drag-solver\", features = [\"omocaptcha\"] }"
capmonster='capmonstercloud-client = "=0.1.0"'
oxide='captcha_oxide = "=6.0.0"'

# The same tree with nothing of ours in it: what is left to be saved by less code.
empty_crates() {
    local crate
    mkdir -p "$work/empty"
    sed 's/^members = .*/members = ["crates\/*"]/' "$root/Cargo.toml" >"$work/empty/Cargo.toml"
    for crate in "$root"/crates/*; do
        mkdir -p "$work/empty/crates/${crate##*/}/src"
        cp "$crate/Cargo.toml" "$work/empty/crates/${crate##*/}/"
        touch "$work/empty/crates/${crate##*/}/src/lib.rs"
    done
    echo 'fn main() {}' >"$work/empty/crates/drag-solver-cli/src/main.rs"
}

costs() {
    empty_crates
    program empty-crates "${ours/"$root"/"$work/empty"}"
    program drag-solver "$ours"
    program capmonstercloud-client "$capmonster"
    program captcha_oxide "$oxide"
    local name
    for name in drag-solver empty-crates capmonstercloud-client captcha_oxide; do
        (cd "$work/$name" && cargo fetch --quiet)
        echo "$name: $(crates "$name" normal,build) crates compiled, $(crates "$name" normal) of them linked"
    done
    local round wall cpu
    TIMEFORMAT='%R %U'
    for round in $(seq "${ROUNDS:-5}"); do
        for name in drag-solver empty-crates capmonstercloud-client captcha_oxide; do
            rm -rf "$work/$name/target"
            # What a build that fails says is shown; the times are the last line.
            if ! (cd "$work/$name" && time cargo build --quiet) 2>"$work/said"; then cat "$work/said" >&2 && exit 1; fi
            read -r wall cpu < <(tail -n 1 "$work/said")
            echo "$round $name $wall $cpu" >>"$work/builds"
            echo "round $round, $name: cold debug build $wall s, $cpu s of CPU"
        done
    done
    medians
}

# Of all rounds: the seconds, and how many times those of the larger peer of the same round they are. What else
# the machine does falls on a round's builds alike, so the ratios say more than the seconds.
medians() {
    awk '
        function median(list, count,    i, j, kept) {
            for (i = 2; i <= count; i++) {
                kept = list[i]
                for (j = i - 1; j > 0 && list[j] > kept; j--) list[j + 1] = list[j]
                list[j + 1] = kept
            }
            return count % 2 ? list[(count + 1) / 2] : (list[count / 2] + list[count / 2 + 1]) / 2
        }
        { wall[$2, $1] = $3; cpu[$2, $1] = $4; rounds = $1 }
        function larger(a, b) { return a > b ? a : b }
        function tell(name,    i, walls, cpus, by_wall, by_cpu) {
            for (i = 1; i <= rounds; i++) {
                walls[i] = wall[name, i]
                cpus[i] = cpu[name, i]
                by_wall[i] = walls[i] / larger(wall["capmonstercloud-client", i], wall["captcha_oxide", i])
                by_cpu[i] = cpus[i] / larger(cpu["capmonstercloud-client", i], cpu["captcha_oxide", i])
            }
            printf "%s: median of %d: %.1f s (%.2f x the larger peer), %.1f s of CPU (%.2f x)\n", name, rounds,
                median(walls, rounds), median(by_wall, rounds), median(cpus, rounds), median(by_cpu, rounds)
        }
        END {
            tell("drag-solver")
            tell("empty-crates")
            tell("capmonstercloud-client")
            tell("captcha_oxide")
        }
    ' "$work/builds"
}

sizes() {
    program drag-solver "$ours"$'\n'"$tokio"
    cat >"$work/drag-solver/src/main.rs" <<'RUST'
use drag_solver::prelude::*;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let solver = Omocaptcha::from_env()?;
    let challenge = DragChallenge::new(Screenshot::from_file("screenshot.png")?);
    println!("{}", solver.solve(&challenge).await?.drag());
    Ok(())
}
RUST
    program capmonstercloud-client "$capmonster"$'\n'"$tokio"
    cat >"$work/capmonstercloud-client/src/main.rs" <<'RUST'
use capmonstercloud_client::requests::ImageToTextRequest;
use capmonstercloud_client::{CapMonsterClient, ClientOptions};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = CapMonsterClient::new(ClientOptions::new(std::env::var("API_KEY")?))?;
    let request = ImageToTextRequest::new(std::fs::read("screenshot.png")?);
    println!("{}", client.solve_captcha(&request).await?);
    Ok(())
}
RUST
    local name
    for name in drag-solver capmonstercloud-client; do
        printf '[profile.release]\nlto = "thin"\nstrip = true\n' >>"$work/$name/Cargo.toml"
        (cd "$work/$name" && cargo build --quiet --release)
        echo "$name: $(stat -c %s "$work/$name/target/release/solve-$name") bytes"
    done
    (cd "$root" && cargo build --quiet --release --locked -p drag-solver-cli)
    cp "$root/target/release/drag-solver" "$work/command" && strip "$work/command"
    echo "the command drag-solver: $(stat -c %s "$work/command") bytes"
}

case ${1:-costs} in
costs) costs ;;
sizes) sizes ;;
*) echo "usage: build_cost.sh [sizes]" >&2 && exit 2 ;;
esac
