#!/usr/bin/env bash
# Tests and measures graphics cards, here or on another machine that has no toolchain: five minutes of a card, one table at the end.
#
#   device.sh build FILE   builds the programs in release for CUDA and WGPU, strips them, and packs them with golden cases into FILE (.tgz)
#   device.sh run FILE     runs them. CARDS="cuda wgpu" says which backends, LIMIT=300 how many seconds in all, PEAK=67 what TFLOP/s
#                          shares are of (an H100 or H200 in f32), PYTHON a Python that has JAX, which is measured beside them
#
# To run, CUDA needs NVIDIA's driver, NVRTC and the headers of the toolkit, WGPU the Vulkan loader (Debian: libvulkan1) beside the driver.
set -euo pipefail

build() {
    local folder target name
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    mkdir -p "$folder/device/cases"
    cd "$(dirname "${BASH_SOURCE[0]}")/.."
    # What each is called here, and what cargo calls it: package, kind, target.
    for target in "products nemos-core test conformance" "fits nemos test conformance" "golden nemos test golden" \
        "profile nemos-core bench device" "compare nemos bench device"; do
        read -r name package kind target <<<"$target"
        cargo build --locked --release --package "$package" --features cuda,wgpu "--$kind" "$target" --message-format=json |
            sed -n 's/.*"name":"'"$target"'".*"executable":"\([^"]*\)".*/\1/p' | tail -n 1 >"$folder/program"
        strip -o "$folder/device/$name" "$(cat "$folder/program")"
    done
    cp tests/golden/cases/{glm,population,classifier}.json "$folder/device/cases"
    cp benches/jax_pass.py "$folder/device"
    tar -czf "$1" -C "$folder" device
    ls -l "$1"
}

# step NAME SECONDS COMMAND…: runs it with a limit, and keeps a line for the table.
step() {
    local name=$1 limit=$2 start=$SECONDS result=ok
    shift 2
    [ $((LIMIT - SECONDS)) -gt "$limit" ] || limit=$((LIMIT - SECONDS))
    if [ "$limit" -le 0 ]; then
        table+=("$name|not reached")
        return
    fi
    echo "-- $name (after $SECONDS s)"
    timeout "$limit" "$@" 2>&1 | tee "$folder/last" || result="FAILED ($(grep -m 1 -E 'panicked|error|failed' "$folder/last" | cut -c1-100))"
    [ "$result" != ok ] || result=$(grep -m 1 'not tried' "$folder/last" | cut -c1-160 || true)
    table+=("$name|${result:-ok}, $((SECONDS - start)) s")
    while IFS= read -r line; do table+=("${line#TABLE|}"); done < <(grep '^TABLE|' "$folder/last" || true)
}

run() {
    local card
    : "${CARDS:=cuda wgpu}" "${LIMIT:=300}" "${PEAK:=67}" "${PYTHON:=}"
    export PEAK
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    table=()
    tar -xzf "$1" -C "$folder"
    cd "$folder/device"
    export NEMOS_GOLDEN_DIR=$PWD/cases
    nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader || echo "no nvidia-smi"
    for library in libcuda.so.1 libnvrtc.so libvulkan.so.1; do
        ldconfig -p | grep -q "$library" || echo "not found by the linker: $library"
    done
    [ -e "${CUDA_PATH:-/usr/local/cuda}/include/cuda_runtime.h" ] || echo "no cuda_runtime.h: set CUDA_PATH"
    for card in $CARDS; do
        step "$card: products, sums, empty shapes" 40 ./products "$card" --nocapture
        step "$card: fits, features, predictions" 60 ./fits "$card" --nocapture
        step "$card: golden cases to 1e-3" 60 ./golden "fits_on_$card" --nocapture
    done
    for card in $CARDS; do
        step "$card: 100,000 × 200, 100 neurons" 40 ./compare "cpu,cpu32,$card" 100000 200 100 1
        step "$card: 500,000 × 400, 256 neurons" 60 ./compare "$card" 500000 400 256 1
    done
    card=${CARDS%% *}
    step "$card: 1,000,000 × 500, 1,000 neurons" 60 ./compare "$card" 1000000 500 1000 0
    [ -z "$PYTHON" ] || step "JAX: 500,000 × 400, 256 neurons" 60 "$PYTHON" jax_pass.py 500000 400 256
    step "profile of a pass" 60 ./profile 55
    echo
    echo "| what | result |"
    echo "|---|---|"
    printf '%s\n' "${table[@]}" | sed 's/^\([^|]*\)|/| \1 | /; s/$/ |/'
}

case "${1:-}" in
build) build "$(realpath -m "$2")" ;;
run) run "$(realpath "$2")" ;;
*)
    sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit 2
    ;;
esac
