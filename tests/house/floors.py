#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Which header may include what.

A header includes its own floor or lower ones. Firmware includes embedded.hpp and everything under it, so these
headers stay away from what a microcontroller has not got. Long headers are listed, and are no failure.
"""
import pathlib
import posixpath
import re
import sys

# From the ground up; folders on one floor may include each other.
FLOORS = [
    ["config.hpp", "setting.hpp", "version.hpp", "fwd.hpp"],
    ["core"],
    ["thresholds", "data", "metrics", "statistics"],
    ["autodiff"],
    ["nn", "distributions"],
    ["vae"],
    ["scores", "explain"],
    ["recipe.hpp", "judge.hpp", "detector.hpp", "ensemble.hpp", "generate.hpp"],
    ["stream"],
    ["embedded", "embedded.hpp"],
    ["train"],
    ["io"],
    ["distributed", "report", "dynamic"],
    ["untoward.hpp"],
]
# Included once for each instruction set, by core/kernels.hpp.
OFTEN_INCLUDED = "core/kernels/"
LEVEL = {name: level for level, names in enumerate(FLOORS) for name in names}
FIRMWARE = LEVEL["embedded.hpp"]
HOSTED = LEVEL["train"]
HOSTED_HEADERS = {"core/error.hpp", "core/threads.hpp"}  # on a low floor, for hosted floors only
# Includes a hosted header only where there is a system and there are exceptions; tests/house/firmware.py and embedded.py
# compile what it is elsewhere.
CONDITIONAL = {("core/refuse.hpp", "core/error.hpp")}

HEAP_AND_STREAMS = {
    "any", "condition_variable", "deque", "exception", "filesystem", "forward_list", "fstream", "future",
    "iomanip", "ios", "iostream", "istream", "list", "locale", "map", "memory_resource", "mutex", "ostream", "print",
    "queue", "random", "regex", "set", "shared_mutex", "sstream", "stack", "stdexcept", "streambuf", "string",
    "system_error", "thread", "typeinfo", "unordered_map", "unordered_set", "valarray", "vector",
}
ALLOWED = {"metrics": {"vector"}, "data": {"vector"}}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


def resolve(root, name, target):
    """The header that `#include "target"` names in the header `name`: beside it, or from the top."""
    beside = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
    return beside if (root / beside).is_file() else target.removeprefix("untoward/")


def reached(root, name):
    """`name` and all of the library's headers that it includes, directly or not."""
    found, waiting = set(), [name]
    while waiting:
        name = waiting.pop()
        if name in found or not (root / name).is_file():
            continue
        found.add(name)
        text = (root / name).read_text(encoding="utf-8")
        targets = [resolve(root, name, target) for bracket, target in INCLUDE.findall(text) if bracket == '"']
        waiting += [target for target in targets if (name, target) not in CONDITIONAL]
    return found


def check(root):
    problems, long_headers, includes = [], [], {}
    for path in sorted(root.rglob("*.hpp")):
        name = path.relative_to(root).as_posix()
        folder = name.split("/")[0]
        text = path.read_text(encoding="utf-8")
        lines = text.count("\n")
        if lines > 500:
            long_headers.append(f"{name}: {lines} lines")
        if name.startswith(OFTEN_INCLUDED):
            if not text.startswith("// SPDX-License-Identifier: MIT\n") or "#ifdef UNTOWARD_KERNEL_SET" not in text:
                problems.append(f"{name}: begins with the licence line, and is empty without UNTOWARD_KERNEL_SET")
        elif not text.startswith("// SPDX-License-Identifier: MIT\n#pragma once\n"):
            problems.append(f"{name}: begins with the licence line and #pragma once")
        if folder not in LEVEL:
            problems.append(f"{name}: belongs to no floor")
            continue
        level = LEVEL[folder]
        own = includes.setdefault(name, [])
        firmware = level <= FIRMWARE and name not in HOSTED_HEADERS
        if firmware and re.search(r"\bstd::function\b", text):  # <functional> itself is harmless, and in Eigen
            problems.append(f"{name}: firmware includes this floor, and std::function allocates")
        for bracket, target in INCLUDE.findall(text):
            if bracket == "<" and target.startswith("untoward/"):
                problems.append(f"{name}: own headers are included with quotes, not <{target}>")
            elif bracket == '"':
                target = resolve(root, name, target)
                own.append(target)
                if not (root / target).is_file():
                    problems.append(f"{name}: includes {target}, which does not exist")
                elif LEVEL.get(target.split("/")[0], level) > level:
                    problems.append(f"{name}: includes {target}, which is on a higher floor")
                if (name, target) in CONDITIONAL:
                    continue
                if target in HOSTED_HEADERS and level < HOSTED and name not in HOSTED_HEADERS:
                    problems.append(f"{name}: includes {target}, which is for hosted floors only")
            elif firmware and target in HEAP_AND_STREAMS - ALLOWED.get(folder, set()):
                problems.append(f"{name}: firmware includes this floor, and it has no <{target}>")
            elif firmware and target.startswith("Eigen/") and target != "Eigen/Core":
                problems.append(f"{name}: firmware floors include <Eigen/Core> only, not <{target}>")

    # What these reach is compiled for microcontrollers as a whole.
    for top in ("detector.hpp", "embedded.hpp"):
        for name in sorted(reached(root, top)):
            for _, target in INCLUDE.findall((root / name).read_text(encoding="utf-8")):
                if target in HEAP_AND_STREAMS:
                    problems.append(f"{top} reaches {name}, which includes <{target}>")

    # What includes itself in a circle hides behind #pragma once.
    state = {}

    def visit(name, trail):
        if state.get(name) == "done" or name not in includes:
            return
        if state.get(name) == "open":
            problems.append("a circle: " + " -> ".join(trail[trail.index(name):] + [name]))
            return
        state[name] = "open"
        for target in includes[name]:
            visit(target, trail + [name])
        state[name] = "done"

    for name in includes:
        visit(name, [])
    return problems, long_headers, len(includes)


def main():
    problems, long_headers, count = check(pathlib.Path(sys.argv[1]))
    for line in long_headers:
        print(f"long (is it one concept?): {line}")
    for line in problems:
        print(line)
    print(f"{count} headers, {len(problems)} problems")
    return 1 if problems or not count else 0


if __name__ == "__main__":
    sys.exit(main())
