#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every C++ program that a README shows is compiled, run, and held to what the README says it prints.

    readme.py PROJECT FOLDER              writes each program to FOLDER, and what it is to print beside it; names them
    readme.py --run PROGRAM EXPECTED      runs one, and compares

A program is a fenced block marked by the line before it, and what it prints is the next block that is marked:

    <!-- compiled: tests/house/readme -->
    ```cpp
    ...
    ```

    <!-- prints -->
    ```text
    ...
    ```

Words and whole numbers are compared as they are. Other numbers may be a factor of 1.5 apart: what a training ends with depends,
in its last digits and then in more, on the processor's instructions.
"""
import pathlib
import re
import subprocess
import sys

NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?![\w])")
PROGRAM = re.compile(r"^<!-- compiled: tests/house/readme -->\n+```cpp\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PRINTS = re.compile(r"^<!-- prints -->\n+```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FACTOR = 1.5


def agree(found, expected):
    """Whether two texts have the same words, and nearly the same numbers."""
    if NUMBER.sub("#", found).split() != NUMBER.sub("#", expected).split():
        return False
    for one, other in zip(NUMBER.findall(found), NUMBER.findall(expected)):
        if one == other:
            continue
        if one.isdigit() or other.isdigit() or not (
                float(one) * float(other) > 0 and 1 / FACTOR <= float(one) / float(other) <= FACTOR):
            return False
    return True


def write(project, folder):
    """The programs of every README, by name."""
    names = []
    for readme in sorted(project.glob("**/README.md")):
        relative = readme.relative_to(project)
        if relative.parts[0].startswith(("build", "install")):
            continue
        text = readme.read_text(encoding="utf-8")
        programs, outputs = list(PROGRAM.finditer(text)), list(PRINTS.finditer(text))
        if len(programs) != text.count("<!-- compiled:") or len(outputs) != text.count("<!-- prints"):
            sys.exit(f"{relative}: a line that marks a block is not followed by one")
        for number, block in enumerate(programs, 1):
            name = "_".join(["readme", *relative.parent.parts, str(number)])
            following = programs[number].start() if number < len(programs) else len(text)
            prints = [one.group(1) for one in outputs if block.end() < one.start() < following]
            if len(prints) != 1:
                sys.exit(f"{relative}: program {number} has {len(prints)} blocks of what it prints, expected 1")
            line = text.count("\n", 0, block.start(1)) + 1
            for suffix, content in ((".cpp", f'#line {line} "{readme}"\n{block.group(1)}'), (".txt", prints[0])):
                target = folder / (name + suffix)
                if not target.is_file() or target.read_text(encoding="utf-8") != content:
                    target.write_text(content, encoding="utf-8")
            names.append(name)
    return names


def main():
    if sys.argv[1] == "--run":
        found = subprocess.run([sys.argv[2]], stdout=subprocess.PIPE, text=True, check=True).stdout
        expected = pathlib.Path(sys.argv[3]).read_text(encoding="utf-8")
        print(found, end="")
        if not agree(found, expected):
            sys.exit(f"the README says:\n{expected}")
    else:
        print(";".join(write(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))), end="")


if __name__ == "__main__":
    main()
