#!/usr/bin/env bash
# Two processes of one thread against one process of two threads, in turn: medians of fits, by the clock and in time of processors, on a machine
# that does nothing else.   processes.sh [RUNS [ROWS FEATURES NEURONS]]   5 runs of 200,000 rows, 100 features and 100 neurons, unless told otherwise
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
runs=${1:-5} sizes=("${2:-200000}" "${3:-100}" "${4:-100}")
program=$(cargo build --release --workspace --features mpi --bench scaling --message-format=json |
    sed -n 's/.*"name":"scaling".*"executable":"\([^"]*\)".*/\1/p' | tail -n 1)
said=$(mktemp)
trap 'rm -f "$said"' EXIT
for _ in $(seq "$runs"); do
    echo "threads $(RAYON_NUM_THREADS=2 "$program" fit "${sizes[@]}")" >>"$said"
    echo "processes $(RAYON_NUM_THREADS=1 mpirun --allow-run-as-root --bind-to core -n 2 "$program" fit "${sizes[@]}")" >>"$said"
done
cat "$said"
# median WHO COLUMN
median() { awk -v who="$1" -v column="$2" '$1 == who { print $column }' "$said" | sort -n | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'; }
for what in "clock 2" "processors 3"; do
    read -r name column <<<"$what"
    one=$(median threads "$column") two=$(median processes "$column")
    echo "$name: two threads $one s, two processes $two s: $(awk "BEGIN { printf \"%.0f\", 100 * $one / $two }") %"
done
