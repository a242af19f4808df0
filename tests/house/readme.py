#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes every C++ program shown in README.md to a file, so that the tests compile and run the printed text.

A program is a fenced block marked by the line before it:

    <!-- compiled: tests/house/readme -->
    ```cpp
    ...
    ```
"""
import pathlib
import re
import sys

readme, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
text = readme.read_text(encoding="utf-8")
marked = list(re.finditer(r"^<!-- compiled: tests/house/readme -->\n+```cpp\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
if len(marked) != text.count("<!-- compiled:"):
    sys.exit(f"{readme}: a '<!-- compiled: tests/house/readme -->' line is not followed by a ```cpp block")
for number, block in enumerate(marked, 1):
    line = text.count("\n", 0, block.start(1)) + 1
    program = f'#line {line} "{readme}"\n{block.group(1)}'
    target = folder / f"readme_{number}.cpp"
    if not target.is_file() or target.read_text(encoding="utf-8") != program:
        target.write_text(program, encoding="utf-8")
    print(target.stem, end=";" if number < len(marked) else "")
