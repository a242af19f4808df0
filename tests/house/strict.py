#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""strict.cpp compiles without a warning, by g++ and by clang++ where it is installed, the headers found by -I.

Clang sees all that it warns of without optimising; g++ looks for null pointers while it does.
"""
import argparse
import concurrent.futures
import pathlib
import shutil
import subprocess
import sys

arguments = argparse.ArgumentParser(description=__doc__)
arguments.add_argument("--include", action="append", default=[], help="folders of the library and of everything.hpp")
arguments.add_argument("--system", default="", help="system include folders, separated by ':'")
options = arguments.parse_args()

WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wold-style-cast", "-Wdouble-promotion", "-Wundef", "-Wconversion",
            "-Wshadow", "-Wnull-dereference", "-Werror"]
RUNS = [("g++", ["-O2", "-DUNTOWARD_STRICT_OPTIMISED", "-c", "-o", "/dev/null"]), ("g++", ["-fsyntax-only"]),
        ("clang++", ["-fsyntax-only"])]
INCLUDES = [part for folder in options.include for part in ("-I", folder)]
INCLUDES += [part for folder in filter(None, options.system.split(":")) for part in ("-isystem", folder)]
SOURCE = pathlib.Path(__file__).with_suffix(".cpp")


def run(compiler, flags):
    command = [compiler, "-std=c++20", *WARNINGS, *INCLUDES, *flags, str(SOURCE)]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                          check=False)


failures = 0
runs = [(compiler, flags) for compiler, flags in RUNS if shutil.which(compiler)]
with concurrent.futures.ThreadPoolExecutor(2) as pool:
    for (compiler, flags), done in zip(runs, pool.map(lambda job: run(*job), runs)):
        if done.returncode:
            failures += 1
            print(f"--- {compiler} {' '.join(flags)}\n{done.stdout[:4000]}")
print(f"{len(runs)} runs, {failures} failures")
sys.exit(1 if failures or not runs else 0)
