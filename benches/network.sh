#!/usr/bin/env bash
# Measures passes in one, two and four processes, each in a network namespace of its own, joined by packets that take 0, 0.1 and 1 ms
# (network.py). Adds them to scaling.csv in the folder it is called from, where scaling.sh has left its own, and draws scaling.svg.
#   network.sh         as root, with an Open MPI and ping; four minutes on two cores that do nothing else
# mpirun may warn of setpgid: a helper began before it was told its group, and nothing is lost.
# PROGRAM is the benchmark, if it is built already.
set -euo pipefail
self=$(realpath "${BASH_SOURCE[0]}")
benches=$(dirname "$self")

# in_namespace NUMBER COMMAND: on a machine of its own by name, too, since MPI tells them apart so.
in_namespace() {
    local name=nemos$1
    shift
    ip netns exec "$name" unshare --uts sh -c "hostname $name; $*"
}

# What mpirun starts its helpers with:   HOST COMMAND
if [ "${1:-}" = agent ]; then
    number=$((${2##*.} - 1))
    shift 2
    in_namespace "$number" "$@"
    exit
fi

# Within one network:   FILE DELAY PROGRAM
if [ "${1:-}" = within ]; then
    file=$2 delay=$3 program=$4 network=10.99.0.0/24
    # The time of the third of four numbers in "rtt min/avg/max/mdev = …", the average, from milliseconds.
    round_trip=$(ip netns exec nemos0 ping -q -c 100 -i 0.01 10.99.0.2 | awk -F/ '/^rtt/ { print $5 / 1000 }')
    echo "packets of $delay s: there and back in $round_trip s"
    for n in 1 2 4; do
        hosts=$(seq -f "10.99.0.%g:1" -s, "$n")
        in_namespace 0 RAYON_NUM_THREADS=1 mpirun --allow-run-as-root --bind-to none -n "$n" --host "$hosts" -x RAYON_NUM_THREADS \
            --mca plm_rsh_agent "'$self agent'" --mca oob_tcp_if_include "$network" \
            --mca btl tcp,self --mca btl_tcp_if_include "$network" --mca mpi_yield_when_idle 1 \
            "$program" measure "$file" "$delay" "$round_trip"
    done
    exit
fi

[ "$(id -u)" = 0 ] || { echo "namespaces are made by root alone: run it as root" >&2; exit 1; }
here=$PWD
program=${PROGRAM:-$(cd "$benches/.." && cargo build --release --workspace --features mpi --bench scaling --message-format=json |
    sed -n 's/.*"name":"scaling".*"executable":"\([^"]*\)".*/\1/p' | tail -n 1)}
# One after the other, and again: draws the medians.
for delay in 0 0.0001 0.001 0 0.0001 0.001 0 0.0001 0.001 0 0.0001 0.001 0 0.0001 0.001; do
    python3 "$benches/network.py" "$delay" "$self" within "$here/scaling.csv" "$delay" "$program"
done
"$program" draw "$here/scaling.csv" "$here/scaling.svg"
