#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The scores example: it shows every score that has a name, and each finds what it looks at."""
import pathlib
import re
import subprocess
import sys

program, include = sys.argv[1:]
text = subprocess.run([program], stdout=subprocess.PIPE, text=True, check=True).stdout
heading, *lines = text.splitlines()
assert heading.split() == ["score", "drift", "broken", "overload", "blames"], heading
shown = {}
for line in lines:
    name, *cells = line.rsplit(maxsplit=4)
    shown[name] = [float(cell.rstrip("%")) for cell in cells]
assert len(shown) == len(lines), "two lines of one name"

# A struct of the folder with a name of its own is a score that a recipe may have.
named = set()
for header in pathlib.Path(include, "untoward", "scores").glob("*.hpp"):
    named |= set(re.findall(r"^struct (\w+) \{(?:(?!^\};).)*?static constexpr const char\* name", header.read_text(encoding="utf-8"),
                            re.M | re.S))
assert len(named) >= 14, named
missing = [name for name in named if not any(re.search(rf"\b{name}\{{", line) for line in shown)]
assert not missing, f"not shown: {missing}"

for name, (drift, _, overload, blames) in shown.items():
    looks_at_latents_alone = name in ("KlDivergence{}", "MahalanobisScore{.space = Space::latent}")
    if looks_at_latents_alone:
        assert drift < 0.7 and blames < 30, (name, drift, blames)
    elif name != "PrincipalComponentScore{}":  # planes, where the sensors are on a curved sheet
        assert drift > 0.85 and blames > 70, (name, drift, blames)
    assert overload > 0.7, (name, overload)
