#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every source is as clang-format 14 leaves it: clang-format -i puts it right.

Other versions differ in small things, and are not asked. Left out: numbers from elsewhere (tests/reference), and cases that
must not compile, whose first line says what is expected.
"""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys

arguments = argparse.ArgumentParser(description=__doc__)
arguments.add_argument("project", type=pathlib.Path)
arguments.add_argument("--fix", action="store_true", help="format in place")
options = arguments.parse_args()

VERSION = "14"
formatter = next((name for name in (f"clang-format-{VERSION}", "clang-format") if shutil.which(name)), None)
said = subprocess.run([formatter, "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout if formatter else ""
if not re.search(rf"version {VERSION}\.", said):
    print(f"skipped: there is no clang-format {VERSION}")
    sys.exit(0)
files = [path for folder in ("include", "tests", "examples", "benchmarks") for suffix in ("hpp", "cpp", "cc")
         for path in sorted((options.project / folder).rglob(f"*.{suffix}"))
         if not path.match("tests/reference/*") and not path.stem.endswith("_must_not_compile")]
if options.fix:
    subprocess.run([formatter, "-i", *files], check=True)
    sys.exit(0)
found = subprocess.run([formatter, "--dry-run", *files], stderr=subprocess.PIPE, text=True, check=True).stderr
wrong = sorted(set(re.findall(r"^(.*?):\d+:\d+: warning: code should be clang-formatted", found, re.MULTILINE)))
for path in wrong:
    print(f"{path} is not as clang-format leaves it: python3 tests/house/format.py --fix .")
print(f"{len(files)} files, {len(wrong)} problems")
sys.exit(1 if wrong else 0)
