#!/usr/bin/env bash
# Measures graphics cards, here or on another machine that has no toolchain.
#
#   device.sh build FILE     builds the program in release for CUDA and WGPU, strips it, writes it to FILE.gz
#   device.sh run FILE.gz    runs it: three minutes at most. Needs NVIDIA's driver and NVRTC for CUDA, and the
#                            Vulkan loader (Debian: libvulkan1) beside the driver for WGPU
set -euo pipefail

build() {
    cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
    local program
    program=$(cargo bench --locked -p nemos-core --features cuda,wgpu --bench device --no-run --message-format=json |
        sed -n 's/.*"name":"device".*"executable":"\([^"]*\)".*/\1/p' | tail -n 1)
    strip -o "$1" "$program"
    gzip -9 -f "$1"
    ls -l "$1.gz"
}

run() {
    local folder
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    gunzip -c "$1" >"$folder/device"
    chmod +x "$folder/device"
    nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader || echo "no nvidia-smi"
    for library in libcuda.so.1 libnvrtc.so libvulkan.so.1; do
        ldconfig -p | grep -q "$library" || echo "not found by the linker: $library"
    done
    timeout 200 "$folder/device" 170
}

case "${1:-}" in
build) build "$(realpath -m "$2")" ;;
run) run "$2" ;;
*)
    sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit 2
    ;;
esac
