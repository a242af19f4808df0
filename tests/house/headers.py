#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every public header compiles alone, twice in a row, without a warning.

Headers that firmware includes are compiled without exceptions and without RTTI.
"""
import argparse
import concurrent.futures
import pathlib
import subprocess
import sys

import floors

arguments = argparse.ArgumentParser(description=__doc__)
arguments.add_argument("--compiler", required=True)
arguments.add_argument("--include", required=True, type=pathlib.Path)
arguments.add_argument("--system", default="", help="system include folders, separated by ':'")
arguments.add_argument("--jobs", type=int, default=2)
options = arguments.parse_args()

command = [options.compiler, "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion",
           "-Wshadow", "-Werror", "-I", str(options.include)]
for folder in filter(None, options.system.split(":")):
    command += ["-isystem", folder]
root = options.include / "untoward"


def compile_alone(header):
    name = header.relative_to(root).as_posix()
    floor = floors.LEVEL.get(name.split("/")[0], floors.HOSTED)
    firmware = floor <= floors.FIRMWARE and name not in floors.HOSTED_HEADERS
    flags = ["-fno-exceptions", "-fno-rtti"] if firmware else []
    line = f"#include <untoward/{name}>\n"
    done = subprocess.run(command + flags + ["-x", "c++", "-"], input=line * 2, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    return name, done.returncode, done.stdout


headers = sorted(root.rglob("*.hpp"))
failures = 0
with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
    for name, code, output in pool.map(compile_alone, headers):
        if code:
            failures += 1
            print(f"--- {name} does not compile alone\n{output[:4000]}")
print(f"{len(headers)} headers with {options.compiler}, {failures} failures")
sys.exit(1 if failures or not headers else 0)
