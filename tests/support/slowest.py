#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The ten files that took longest to build, by what Ninja noted in these build folders."""
import pathlib
import re
import sys

took = {}
for folder in sys.argv[1:]:
    for line in (pathlib.Path(folder) / ".ninja_log").read_text(encoding="utf-8").splitlines()[1:]:
        begin, end, _, output, _ = line.split("\t")
        took[folder, output] = (int(end) - int(begin)) / 1000  # the last counts: a file may have been built before
print("\nslowest files:")
for (folder, output), seconds in sorted(took.items(), key=lambda one: -one[1])[:10]:
    print(f"{seconds:7.1f} s  {folder}: {re.sub(r'CMakeFiles/|[.]dir(?=/)|[.]o$', '', output)}")
