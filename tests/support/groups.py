#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Several test files as one translation unit, so that what they share is parsed and instantiated once.

    groups.py --tests tests --output build/tests/groups/nn_1.cpp nn/attention.cpp nn/layers.cpp

Every header that they include comes first, at the top. Then each file is included in a namespace of its own, so that two
may have helpers of one name; its own includes find everything there already. A test is called "<room>.<file>: <its name>":
so two files may have tests of one name, and a filter finds those of a file.
"""
import argparse
import pathlib
import re

arguments = argparse.ArgumentParser(description=__doc__)
arguments.add_argument("--tests", required=True, type=pathlib.Path, help="the folder that the sources are relative to")
arguments.add_argument("--output", required=True, type=pathlib.Path)
arguments.add_argument("sources", nargs="+")
options = arguments.parse_args()

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')
DEFINE = re.compile(r"^\s*#\s*define\s+(\w+)")

headers, parts = [], []
for source in options.sources:
    folder = pathlib.PurePosixPath(source).parent
    defined = []
    for line in (options.tests / source).read_text(encoding="utf-8").splitlines():
        if match := INCLUDE.match(line):
            quote, name = match.groups()
            if quote == '"' and (options.tests / folder / name).exists():
                name = str(folder / name)
            header = f'#include "{name}"' if quote == '"' else f"#include <{name}>"
            if header not in headers:
                headers.append(header)
        elif match := DEFINE.match(line):
            defined.append(match.group(1))
    test = re.sub(r"\.cpp$", "", source).replace("/", ".")
    parts += [
        "",
        "#undef UNTOWARD_TEST_FILE",
        f'#define UNTOWARD_TEST_FILE "{test}: "',
        f"namespace in_{re.sub(r'[^0-9A-Za-z]', '_', test)} {{",
        f'#include "{source}"',
        "}",
        *(f"#undef {name}" for name in dict.fromkeys(defined)),
    ]

lines = [
    "// Made by tests/support/groups.py.",
    '#include "support/catch.hpp"',
    *headers,
    "",
    "#undef TEST_CASE",
    "#define TEST_CASE(...) INTERNAL_CATCH_TESTCASE(UNTOWARD_TEST_FILE __VA_ARGS__)",
    "#undef TEMPLATE_TEST_CASE",
    "#define TEMPLATE_TEST_CASE(...) INTERNAL_CATCH_TEMPLATE_TEST_CASE(UNTOWARD_TEST_FILE __VA_ARGS__)",
    *parts,
]
text = "\n".join(lines) + "\n"
options.output.parent.mkdir(parents=True, exist_ok=True)
if not options.output.exists() or options.output.read_text(encoding="utf-8") != text:
    options.output.write_text(text, encoding="utf-8")
