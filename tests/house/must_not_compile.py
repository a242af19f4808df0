#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Misuse that must be refused by the compiler, with a message that helps.

A file <name>_must_not_compile.cpp compiles as it is, and has numbered cases that do not:

    #if CASE == 1  // expect: a chain needs at least one layer
    using Bad = untoward::Chain<>;
    #endif

`expect:` is a regular expression searched in what the compiler prints.
"""
import argparse
import re
import subprocess
import sys

arguments = argparse.ArgumentParser(description=__doc__)
arguments.add_argument("--compiler", required=True)
arguments.add_argument("--include", required=True)
arguments.add_argument("--system", default="", help="system include folders, separated by ':'")
arguments.add_argument("source")
options = arguments.parse_args()

command = [options.compiler, "-std=c++20", "-fsyntax-only", "-I", options.include]
for folder in filter(None, options.system.split(":")):
    command += ["-isystem", folder]


def compile_case(number):
    done = subprocess.run(command + [f"-DCASE={number}", options.source], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    return done.returncode == 0, done.stdout


with open(options.source, encoding="utf-8") as file:
    text = file.read()
cases = re.findall(r"^#if CASE == (\d+)\s*// expect: (.+)$", text, re.MULTILINE)
numbered = re.findall(r"^#\s*(?:el)?if\b.*\bCASE\b", text, re.MULTILINE)
if not cases or len(cases) != len(numbered) or len({number for number, _ in cases}) != len(cases):
    sys.exit(f"{options.source}: every case is written once, as '#if CASE == 1  // expect: words'")

failures = 0
for number, expected in [("0", None), *cases]:
    compiled, output = compile_case(number)
    if expected is None:
        problem = None if compiled else "does not compile without any case"
    elif compiled:
        problem = "compiles"
    else:
        problem = None if re.search(expected.strip(), output) else f"is refused, but not with '{expected.strip()}'"
    if problem:
        failures += 1
        print(f"{options.source}: case {number} {problem}\n{output[:4000]}")
print(f"{len(cases)} cases, {failures} failures")
sys.exit(1 if failures else 0)
