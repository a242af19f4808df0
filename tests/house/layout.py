#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What stands at the top level, and that tests, benchmarks and headers mirror each other."""
import pathlib
import subprocess
import sys

import floors

TOP = {"include", "tests", "benchmarks", "examples", "CMakeLists.txt", "CMakePresets.json", "README.md", "LICENSE"}
BESIDE_THE_MIRROR = {"tests": {"support", "house", "consumer", "reference", "fuzz", "settings", "platforms", "program",
                               "extension"},
                     "benchmarks": {"support", "peers"}}

MIRRORED = {name.removesuffix(".hpp") for name in floors.LEVEL}

root = pathlib.Path(sys.argv[1])
try:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                            check=False)
except FileNotFoundError:
    listed = None
if listed is None or listed.returncode or not listed.stdout:  # an unpacked archive has no history
    files = [path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()]
    files = [name for name in files if not name.startswith(("build", "install"))]
else:
    files = [name for name in listed.stdout.decode().split("\0") if (root / name).is_file()]

problems = []
for name in sorted({name.split("/")[0] for name in files}):
    if name not in TOP and not name.startswith("."):
        problems.append(f"{name}: has no place at the top level")
for name in files:
    parts = name.split("/")
    if parts[0] in ("tests", "benchmarks") and len(parts) > 2:
        if parts[1] not in MIRRORED | BESIDE_THE_MIRROR.get(parts[0], set()):
            problems.append(f"{name}: no folder of include/untoward is named {parts[1]}")
    if name.endswith((".hpp", ".cpp")) and "// SPDX-License-Identifier: MIT" not in (
            root / name).read_text(encoding="utf-8", errors="replace")[:200]:
        problems.append(f"{name}: has no licence line")
print("\n".join(problems))
print(f"{len(files)} files, {len(problems)} problems")
sys.exit(1 if problems or not files else 0)
