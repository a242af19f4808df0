#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The complete test run: g++ with warnings as errors, then the same tests built by clang++ with AddressSanitizer
# and UndefinedBehaviorSanitizer. Installs what is missing (Debian, as root or with sudo).
#   UNTOWARD_DATA_DIR=FOLDER bash tests/run.sh      also runs the tests that need the real data sets
#   bash tests/run.sh --full=settings               instead: the table of compilers, settings and instruction sets
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source tests/support/packages.sh

need_packages g++ cmake ninja-build libeigen3-dev libcli11-dev catch2 pkg-config python3 clang
# Compilers and emulators of microcontrollers; tests that miss one say so.
need_packages gcc-arm-none-eabi libstdc++-arm-none-eabi-newlib libnewlib-arm-none-eabi qemu-system-arm qemu-user \
    g++-aarch64-linux-gnu
need_packages "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev"

jobs=$(nproc)
case "${1:-}" in
    "") ;;
    --full=settings)
        need_packages lld
        exec python3 -B tests/settings/settings.py --jobs "$jobs"
        ;;
    *)
        echo "tests/run.sh: $1 is no stage; there is --full=settings" >&2
        exit 2
        ;;
esac
cmake --preset ci -DUNTOWARD_DATA_DIR="${UNTOWARD_DATA_DIR:-}"
cmake --build --preset ci -j "$jobs"
cmake --preset asan -DUNTOWARD_DATA_DIR=
cmake --build --preset asan -j "$jobs"

log=build/test-run.log
run() {  # preset: runs its tests, and leaves ctest's closing line in $closing
    local result=0
    ctest --preset "$1" -j "$jobs" 2>&1 | tee "$log" || result=$?
    closing=$(grep -E '^[0-9]+% tests passed' "$log" || echo "no test was run ($1)")
    return $result
}

failed=
echo "== With sanitizers (clang++)"
run asan || failed="With sanitizers: $closing"
echo "== Without (g++)"
run ci || failed=${failed:-$closing}
echo
echo "${failed:-$closing}"
[ -z "$failed" ]
