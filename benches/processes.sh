#!/usr/bin/env bash
# Two processes of one thread against one process of two threads, in turn: medians of five runs each, by the clock and in time of processors.
# On a machine that does nothing else: processes.sh [RUNS]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
cargo build --release --workspace --features mpi --example cluster
program=target/release/examples/cluster
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
fit_seconds() { sed -n 's/.*processes: \([0-9.]*\) s/\1/p'; }
# run NAME COMMAND…: seconds of the fit by the clock, and of processors for the whole program.
run() {
    local name=$1
    shift
    TIMEFORMAT='%U %S'
    { time "$@" >"$folder/said"; } 2>"$folder/time"
    fit_seconds <"$folder/said" >>"$folder/$name.clock"
    tail -n 1 "$folder/time" | awk '{ print $1 + $2 }' >>"$folder/$name.processor"
}
median() { sort -n "$1" | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'; }
for _ in $(seq "${1:-5}"); do
    run threads env RAYON_NUM_THREADS=2 "$program"
    run processes env RAYON_NUM_THREADS=1 mpirun --allow-run-as-root --bind-to core -n 2 "$program"
done
for what in clock processor; do
    one=$(median "$folder/threads.$what") two=$(median "$folder/processes.$what")
    echo "$what: two threads $one s, two processes $two s; $(awk "BEGIN { printf \"%.0f\", 100 * $one / $two }") %"
done
