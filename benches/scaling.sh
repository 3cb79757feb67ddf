#!/usr/bin/env bash
# Measures passes in one, two and four processes over networks with delays of 0, 0.1 and 1 ms, and draws them: scaling.csv and scaling.svg in
# the folder it is called from, ten minutes on two cores that do nothing else.
set -euo pipefail
here=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."
program=$(cargo build --release --workspace --features mpi --bench scaling --message-format=json |
    sed -n 's/.*"name":"scaling".*"executable":"\([^"]*\)".*/\1/p' | tail -n 1)
rm -f "$here/scaling.csv"
# One after the other, and again: draws the medians.
for n in 1 2 4 1 2 4 1 2 4 1 2 4 1 2 4; do
    RAYON_NUM_THREADS=1 mpirun --allow-run-as-root --oversubscribe --mca mpi_yield_when_idle 1 -n "$n" "$program" measure "$here/scaling.csv"
done
"$program" draw "$here/scaling.csv" "$here/scaling.svg"
