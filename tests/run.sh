#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The test run. Two builds share the tests: g++ runs those of what is computed and learned, and what the library promises
# as a whole; clang++ those of memory and input, with AddressSanitizer and UndefinedBehaviorSanitizer. Each reads the other's
# tests too, without generating code. tests/README.md has the table. Installs what is missing (Debian, as root or with sudo).
#   UNTOWARD_DATA_DIR=FOLDER bash tests/run.sh      also runs the tests that need the real data sets
#   bash tests/run.sh --full                        instead: everything that takes longer, stage by stage
#   bash tests/run.sh --full=settings               one stage of it: cross, optimised, settings, fuzz
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source tests/support/packages.sh

stages=(cross optimised settings fuzz)
full=
case "${1:-}" in
    "") ;;
    --full) full=${stages[*]} ;;
    --full=*)
        full=${1#--full=}
        if [[ " ${stages[*]} " != *" $full "* ]]; then
            echo "tests/run.sh: $full is no stage; there are ${stages[*]}" >&2
            exit 2
        fi
        ;;
    *)
        echo "tests/run.sh: $1 is no option; there are --full and --full=STAGE" >&2
        exit 2
        ;;
esac

need_packages g++ cmake ninja-build libeigen3-dev libcli11-dev catch2 pkg-config python3 clang clang-format ccache
# Compilers and emulators of microcontrollers; tests that miss one say so.
need_packages gcc-arm-none-eabi libstdc++-arm-none-eabi-newlib libnewlib-arm-none-eabi qemu-system-arm qemu-user \
    g++-aarch64-linux-gnu
need_packages "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev"

jobs=$(nproc)
log=build/test-run.log
target=all
failed=
times=()

timed() {  # what, command: how long it took is said at the end
    local began=$SECONDS result=0
    echo "== $1"
    "${@:2}" || result=$?
    times+=("$(printf '%5d s  %s' $((SECONDS - began)) "$1")")
    return $result
}
build() {  # folder, preset, settings: configures and builds $target
    # One command: `set -e` is off in what `timed` calls.
    cmake --preset "$2" -B "$1" "${@:3}" && cmake --build "$1" -j "$jobs" --target "$target"
}
run() {  # folder, options of ctest: runs tests, leaves the closing line in $closing, and notes the first failure
    local result=0
    ctest --test-dir "$1" --output-on-failure -j "$jobs" "${@:2}" 2>&1 | tee "$log" || result=$?
    closing=$(grep -E '^[0-9]+% tests passed' "$log" || echo "no test was run ($1)")
    [ $result = 0 ] || failed=${failed:-"$1: $closing"}
}
report() {  # folders: the times, the slowest files, and last what ctest said last
    echo
    printf '%s\n' "${times[@]}"
    [ $# = 0 ] || python3 -B tests/support/slowest.py "$@"
    echo
    echo "${failed:-$closing}"
    [ -z "$failed" ]
}

if [ -z "$full" ]; then
    timed "g++ builds" build build/ci ci -DUNTOWARD_TEST_SHARE=numbers -DUNTOWARD_DATA_DIR="${UNTOWARD_DATA_DIR:-}"
    timed "clang++ builds, with sanitizers" build build/asan asan -DUNTOWARD_TEST_SHARE=memory -DUNTOWARD_DATA_DIR=
    timed "tests with sanitizers (clang++)" run build/asan
    timed "the house" run build/ci -L house
    timed "tests (g++)" run build/ci -LE house
    report build/ci build/asan
    exit
fi

stage_cross() {  # every test by both
    timed "cross: g++ builds" build build/full/ci ci -DUNTOWARD_TEST_SHARE=all \
        -DUNTOWARD_DATA_DIR="${UNTOWARD_DATA_DIR:-}"
    timed "cross: tests (g++)" run build/full/ci
    timed "cross: clang++ builds, with sanitizers" build build/full/asan asan -DUNTOWARD_TEST_SHARE=all -DUNTOWARD_DATA_DIR=
    timed "cross: tests with sanitizers (clang++)" run build/full/asan
}
stage_optimised() {  # what an optimiser warns of, and does
    timed "optimised: g++ -O2 builds" build build/full/optimised ci -DUNTOWARD_TEST_SHARE=all \
        -DUNTOWARD_TEST_OPTIMISATION=-O2 -DUNTOWARD_DATA_DIR="${UNTOWARD_DATA_DIR:-}"
    timed "optimised: tests (g++ -O2)" run build/full/optimised -LE house
}
stage_settings() {  # compilers, settings and instruction sets
    need_packages lld
    timed "settings" python3 -B tests/settings/settings.py --jobs "$jobs" || failed=${failed:-"settings: see above"}
    closing="settings passed"
}
stage_fuzz() {  # each parser for ten minutes
    local target=fuzz
    timed "fuzz: clang++ builds" build build/full/fuzz asan -DUNTOWARD_TEST_SHARE=all -DUNTOWARD_DATA_DIR= \
        -DUNTOWARD_FUZZ_SECONDS=600 -DUNTOWARD_BUILD_EXAMPLES=OFF
    timed "fuzz: ten minutes each" run build/full/fuzz -R '^fuzz\.'
}

for stage in $full; do
    "stage_$stage"
done
report
