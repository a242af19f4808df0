#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Objects that were compiled with different settings make one program, and each has the bits that it has alone.

two_settings.cpp is compiled once by default and once with each of the macros of config.hpp that change what inline functions
do. Each object is linked alone, and then with the default one before it and after it: a linker keeps the first of two
functions of one name.
"""
import argparse
import concurrent.futures
import itertools
import pathlib
import subprocess
import sys

SETTINGS = {"default": [], "plain": ["-DUNTOWARD_PLAIN"], "no_dispatch": ["-DUNTOWARD_NO_DISPATCH"],
            "fixed": ["-DUNTOWARD_FIXED_KERNELS"]}
SOURCE = pathlib.Path(__file__).with_suffix(".cpp")

arguments = argparse.ArgumentParser(description=__doc__)
arguments.add_argument("--compiler", default="g++")
arguments.add_argument("--include", required=True)
arguments.add_argument("--system", default="", help="system include folders, separated by ':'")
arguments.add_argument("--work", required=True)
options = arguments.parse_args()
work = pathlib.Path(options.work)
work.mkdir(parents=True, exist_ok=True)
# -O0 draws nothing inline: every function is the linker's to choose.
COMMAND = [options.compiler, "-std=c++20", "-O0", "-I", options.include]
COMMAND += [part for folder in filter(None, options.system.split(":")) for part in ("-isystem", folder)]


def compile_part(name):
    return subprocess.run([*COMMAND, f"-DPART=part_{name}", *SETTINGS[name], "-c", SOURCE, "-o", work / f"{name}.o"],
                          check=False).returncode


def lines_of(names):
    """What a program of these parts prints, by part."""
    program = work / "_".join(names)
    main = program.with_suffix(".main.cpp")
    calls = "\n".join(f'    part_{name}("{name}");' for name in names)
    main.write_text("".join(f"void part_{name}(const char*);\n" for name in names) + f"int main() {{\n{calls}\n}}\n",
                    encoding="utf-8")
    subprocess.run([options.compiler, main, *(work / f"{name}.o" for name in names), "-o", program], check=True)
    printed = subprocess.run([program], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    return {name: [line.removeprefix(name) for line in printed if line.startswith(name + " ")] for name in names}


with concurrent.futures.ThreadPoolExecutor(2) as pool:
    if any(pool.map(compile_part, SETTINGS)):
        sys.exit("two_settings.cpp does not compile")
alone = {name: lines_of([name])[name] for name in SETTINGS}
failures = 0
if not all(len(lines) == 4 for lines in alone.values()):
    failures += 1
    print("a part printed something else than four lines")
for other, turned in itertools.product(list(SETTINGS)[1:], (False, True)):
    names = [other, "default"] if turned else ["default", other]
    for name, lines in lines_of(names).items():
        if lines != alone[name]:
            failures += 1
            print(f"{name}: other bits when it is linked as {' + '.join(names)}")
    if alone[other][1:] != alone["default"][1:]:
        failures += 1
        print(f"{other}: the user's own code has other bits than by default")
print(f"{len(SETTINGS)} settings, {failures} failures")
sys.exit(1 if failures else 0)
