#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compile time and memory: the two programs in benchmarks/support, and the slowest of the tests.

    python3 benchmarks/compile.py [--compiler g++] [--build build/ci] [--runs 3] [--most-seconds 10 --most-megabytes 700]

Each is compiled three times; the least processor time counts (the machine may be busy) and the largest resident
memory. `#include <Eigen/Core>` alone comes first: times on two machines compare as these do. Which test is the slowest
is read from the log of a build with Ninja; without one it is left out. With limits the exit code says whether the
first program is within them.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
# The two of version 0.1.0's README: kept, so that figures of two versions are of the same programs.
PROGRAMS = ("payments.cpp", "run_time.cpp")


def slowest_test(build):
    log = ROOT / build / ".ninja_log"
    if not log.is_file():
        return None
    times = {}
    for line in log.read_text(encoding="utf-8").splitlines()[1:]:
        begin, end, _, output, _ = line.split("\t")
        match = re.search(r"tests/CMakeFiles/[^/]+\.dir/(.+\.cpp)\.o$", output)
        path = ROOT / build / "tests" / match.group(1) if match and "groups/" in output else (
            ROOT / "tests" / match.group(1) if match else None)
        if path is not None and path.is_file():
            times[path] = int(end) - int(begin)
    return max(times, key=times.get) if times else None


def compile_once(command):
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{' '.join(map(str, command))}: does not compile")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def measure(name, compiler, flags, source):
    command = [compiler, "-std=c++20", *flags, "-I", ROOT / "include", "-I", ROOT / "tests", "-isystem",
               "/usr/include/eigen3", "-c", source, "-o", os.devnull]
    runs = [compile_once(command) for _ in range(options.runs)]
    seconds, megabytes = min(run[0] for run in runs), max(run[1] for run in runs)
    print(f"{name:44s} {compiler:9s} {' '.join(flags):4s} {seconds:6.1f} s {megabytes:6.0f} MB", flush=True)
    return seconds, megabytes


arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
arguments.add_argument("--compiler", action="append", help="may be repeated; default g++ and clang++")
arguments.add_argument("--build", default="build/ci", help="where the tests were built with Ninja")
arguments.add_argument("--runs", type=int, default=3)
arguments.add_argument("--most-seconds", type=float, default=float("inf"))
arguments.add_argument("--most-megabytes", type=float, default=float("inf"))
options = arguments.parse_args()

within = True
with tempfile.TemporaryDirectory() as folder:
    sources = [pathlib.Path(folder, f"{name}.cpp") for name in ("eigen", "first", "second", "all")]
    first, second = ((ROOT / "benchmarks" / "support" / name).read_text(encoding="utf-8") for name in PROGRAMS)
    whole = "#include <untoward/untoward.hpp>\n" + first
    for source, text in zip(sources, ["#include <Eigen/Core>\n", first, second, whole]):
        source.write_text(text, encoding="utf-8")
    for name in options.compiler or ["g++", "clang++"]:
        measure("Eigen/Core alone", name, ["-O0"], sources[0])
        for flags in (["-O0"], ["-O2"]):
            seconds, megabytes = measure("payments.cpp", name, flags, sources[1])
            within &= seconds <= options.most_seconds and megabytes <= options.most_megabytes
        measure("payments.cpp with untoward.hpp", name, ["-O2"], sources[3])
        measure("run_time.cpp", name, ["-O2"], sources[2])
        slowest = slowest_test(options.build)
        if slowest is not None:
            measure(str(slowest.relative_to(ROOT)), name, ["-O1"], slowest)
sys.exit(0 if within else 1)
