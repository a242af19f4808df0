#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Misuse that must be refused by the compiler, with one error that helps.

A file <name>_must_not_compile.cpp compiles as it is, and has numbered cases that do not:

    // A Residual's layer changes the size.
    #if CASE == 1  // expect: SizesDiffer<Residual<Dense<3>>, Expected<4>, Found<3>>
    using Bad = decltype(output_shape(Residual<Dense<3>>{}, Vec<4>{}));
    #endif

`#if CASE == 0` holds what is to compile and would take time in every case.

`expect:` stands in the first line of the error, of g++ and of clang++ where both are installed. It is plain text;
`expect-regex:` is a regular expression. Of the line are left out: file and position, `untoward::`, and how a compiler
spells its quotes, nested `>` and integers. There is one error only. <name>_must_not_compile.txt is the table of these
lines as the oldest compilers that are tested print them; `--write` makes it anew, and a message that gets worse is seen
as a difference. Other versions may print other words around what is expected, and more errors.
"""
import argparse
import concurrent.futures
import difflib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

TABLE_VERSIONS = {"g++": "12", "clang++": "14"}
CASE = re.compile(r"^#if CASE == (\d+)\s*// expect(-regex)?: (.+?)\s*$", re.MULTILINE)


def kind_of(compiler):
    done = subprocess.run([compiler, "--version"], stdout=subprocess.PIPE, text=True, check=True)
    return "clang++" if "clang" in done.stdout else "g++"


def major_version(compiler):
    done = subprocess.run([compiler, "-dumpversion"], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip().split(".")[0]


def short(line):
    """An error's first line as the table has it."""
    line = re.sub(r"^.*?\b(?:fatal )?error: ", "", line)
    line = re.sub("[‘’`]", "'", line)
    line = line.replace("untoward::", "").replace("mistake::", "").replace("detail::", "")
    line = re.sub(r"\b(-?\d+)[lL]\b", r"\1", line)
    while "> >" in line:
        line = line.replace("> >", ">>")
    return line.strip()


class Compiler:
    """One compiler, and the headers of a source file compiled in advance."""

    def __init__(self, path, options, text, folder):
        self.kind = kind_of(path)
        self.is_of_table = major_version(path) == TABLE_VERSIONS[self.kind]
        self.command = [path, "-std=c++20", "-fsyntax-only", "-I", options.include]
        for system in filter(None, options.system.split(":")):
            self.command += ["-isystem", system]
        includes = re.findall(r'^#include .*$', text, re.MULTILINE)
        header = folder / f"{self.kind}.hpp"
        header.write_text("\n".join(includes) + "\n", encoding="utf-8")
        made = folder / (header.name + (".pch" if self.kind == "clang++" else ".gch"))
        done = subprocess.run([part for part in self.command if part != "-fsyntax-only"] +
                              ["-x", "c++-header", "-o", str(made), str(header)], check=False)
        if done.returncode == 0:
            self.command += ["-include-pch", str(made)] if self.kind == "clang++" else ["-include", str(header)]

    def compile_case(self, source, number):
        done = subprocess.run(self.command + [f"-DCASE={number}", source], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", check=False,
                              env={**os.environ, "LC_ALL": "C.UTF-8"})
        return done.returncode == 0, done.stdout


def problem_of(compiler, case, compiled, output):
    """(what is wrong or None, the error's first line)"""
    if case is None:
        return (None if compiled else "does not compile without any case"), ""
    if compiled:
        return "compiles", ""
    errors = [line for line in output.splitlines() if re.search(r"^\S.*?\b(?:fatal )?error: ", line)]
    if not errors:
        return "is refused without an error", ""
    first = short(errors[0])
    _, is_regex, expected = case
    if not (re.search(expected, first) if is_regex else expected in first):
        return f"is refused, but not with '{expected}': {first}", first
    if compiler.is_of_table and len(errors) != 1:
        return f"is refused with {len(errors)} errors, not one", first
    return None, first


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--compiler", action="append", default=[], help="besides g++ and clang++")
    arguments.add_argument("--include", required=True)
    arguments.add_argument("--system", default="", help="system include folders, separated by ':'")
    arguments.add_argument("--write", action="store_true", help="make the table of messages anew")
    arguments.add_argument("source")
    options = arguments.parse_args()

    text = pathlib.Path(options.source).read_text(encoding="utf-8")
    cases = CASE.findall(text)
    numbered = re.findall(r"^#\s*(?:el)?if\b(?! CASE == 0$).*\bCASE\b", text, re.MULTILINE)
    if not cases or len(cases) != len(numbered) or len({case[0] for case in cases}) != len(cases):
        sys.exit(f"{options.source}: every case is written once, as '#if CASE == 1  // expect: words'")

    by_kind = {}
    for path in [*options.compiler, "g++", "clang++"]:
        if shutil.which(path):
            by_kind.setdefault(kind_of(path), path)

    failures = 0
    lines = {}
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(2) as pool:
        compilers = list(pool.map(lambda path: Compiler(path, options, text, pathlib.Path(folder)),
                                  by_kind.values()))
        jobs = [(compiler, case) for case in [None, *cases] for compiler in compilers]
        results = pool.map(lambda job: job[0].compile_case(options.source, job[1][0] if job[1] else "0"), jobs)
        for (compiler, case), (compiled, output) in zip(jobs, results):
            problem, first = problem_of(compiler, case, compiled, output)
            if case and compiler.is_of_table:
                lines[case[0], compiler.kind] = first
            if problem:
                failures += 1
                print(f"{options.source}: {compiler.kind}: case {case[0] if case else 0} {problem}\n{output[:4000]}")

    kinds = [compiler.kind for compiler in compilers if compiler.is_of_table]
    table = pathlib.Path(options.source).with_suffix(".txt")
    if options.write:
        table.write_text("".join(entry(case[0], text, lines, TABLE_VERSIONS) for case in cases), encoding="utf-8")
    else:
        failures += compare(table, "".join(entry(case[0], text, lines, kinds) for case in cases), kinds)
    print(f"{len(cases)} cases, {', '.join(by_kind)}, {failures} failures")
    sys.exit(1 if failures else 0)


def entry(number, text, lines, kinds):
    """What is wrong, from the comment over the case, and what each compiler says of it."""
    comment = re.search(r"((?:^//.*\n)*)^#if CASE == " + number + r"\b", text, re.MULTILINE).group(1)
    title = " ".join(line[2:].strip() for line in comment.splitlines())
    said = "".join(f"   {kind:8} {lines.get((number, kind), '')}\n" for kind in kinds)
    return f"{number}. {title}\n{said}"


def compare(table, now, kinds):
    if not kinds:
        return 0
    missing = [kind for kind in TABLE_VERSIONS if kind not in kinds]
    written = table.read_text(encoding="utf-8") if table.exists() else ""
    before = [line for line in written.splitlines() if not any(line.startswith(f"   {kind} ") for kind in missing)]
    difference = list(difflib.unified_diff(before, now.splitlines(), str(table), "now", lineterm=""))
    if difference:
        print("\n".join(difference), "\n(house/must_not_compile.py --write makes the table anew)", sep="\n")
    return 1 if difference else 0


main()
