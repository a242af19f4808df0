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
import tempfile

import floors

arguments = argparse.ArgumentParser(description=__doc__)
arguments.add_argument("--compiler", required=True)
arguments.add_argument("--include", required=True, type=pathlib.Path)
arguments.add_argument("--system", default="", help="system include folders, separated by ':'")
arguments.add_argument("--jobs", type=int, default=2)
options = arguments.parse_args()

command = [options.compiler, "-std=c++20", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror",
           "-I", str(options.include)]
for folder in filter(None, options.system.split(":")):
    command += ["-isystem", folder]
root = options.include / "untoward"
FLAGS = {"firmware": ["-fno-exceptions", "-fno-rtti"], "hosted": []}


def run(flags, text=None):
    return subprocess.run(command + flags, input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", check=False)


def precompile(kind):
    """Eigen, which takes most of the time, compiled once for every header that comes to it through config.hpp."""
    folder = scratch / kind
    folder.mkdir()
    (folder / "eigen.hpp").write_text("#include <Eigen/Core>\n", encoding="utf-8")
    done = run(FLAGS[kind] + ["-x", "c++-header", str(folder / "eigen.hpp"), "-o", str(folder / "eigen.hpp.gch")])
    if done.returncode:
        sys.exit(done.stdout)
    return ["-include", str(folder / "eigen.hpp")]  # g++ and clang++ both find the .gch


def compile_alone(header):
    name = header.relative_to(root).as_posix()
    floor = floors.LEVEL.get(name.split("/")[0], floors.HOSTED)
    kind = "firmware" if floor <= floors.FIRMWARE and name not in floors.HOSTED_HEADERS else "hosted"
    flags = FLAGS[kind] + (precompiled[kind] if "config.hpp" in floors.reached(root, name) else [])
    done = run(flags + ["-fsyntax-only", "-x", "c++", "-"], f"#include <untoward/{name}>\n" * 2)
    return name, done.returncode, done.stdout


headers = sorted(root.rglob("*.hpp"))
failures = 0
with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
    scratch = pathlib.Path(folder)
    precompiled = dict(zip(FLAGS, pool.map(precompile, FLAGS)))
    for name, code, output in pool.map(compile_alone, headers):
        if code:
            failures += 1
            print(f"--- {name} does not compile alone\n{output[:4000]}")
print(f"{len(headers)} headers with {options.compiler}, {failures} failures")
sys.exit(1 if failures or not headers else 0)
