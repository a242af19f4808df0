#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""floors.py finds what it is there to find."""
import pathlib
import sys
import tempfile

import floors

HEAD = "// SPDX-License-Identifier: MIT\n#pragma once\n"
CASES = [
    ("vae/a.hpp", '#include "untoward/nn/b.hpp"', None),
    ("nn/b.hpp", '#include "untoward/distributions/c.hpp"', None),
    ("distributions/c.hpp", "#include <cmath>\n#include <Eigen/Core>", None),
    ("nn/up.hpp", '#include "untoward/vae/a.hpp"', "higher floor"),
    ("core/missing.hpp", '#include "untoward/core/nothing.hpp"', "does not exist"),
    ("core/error.hpp", "#include <string>", None),
    ("train/t.hpp", '#include "untoward/core/error.hpp"\n#include <vector>', None),
    ("scores/throws.hpp", '#include "untoward/core/error.hpp"', "hosted floors only"),
    ("autodiff/v.hpp", "#  include <vector>", "no <vector>"),
    ("autodiff/f.hpp", "#include <functional>\ninline std::function<void()> f;", "std::function allocates"),
    ("autodiff/l.hpp", "#include <functional>", None),
    ("metrics/v.hpp", "#include <vector>", None),
    ("metrics/m.hpp", "#include <map>", "no <map>"),
    ("nn/solve.hpp", "#include <Eigen/Dense>", "<Eigen/Core> only"),
    ("scores/relative.hpp", '#include "../vae/a.hpp"\n#include "throws.hpp"', None),
    ("nn/relative.hpp", '#include "../detector.hpp"', "includes detector.hpp, which is on a higher floor"),
    ("thresholds/angle.hpp", "#include <untoward/config.hpp>", "with quotes"),
    ("elsewhere/x.hpp", "", "no floor"),
    ("detector.hpp", '#include "untoward/metrics/v.hpp"', "detector.hpp reaches metrics/v.hpp"),
    ("vae/round.hpp", '#include "untoward/vae/trip.hpp"', None),
    ("vae/trip.hpp", '#include "untoward/vae/round.hpp"', "a circle: vae/round.hpp -> vae/trip.hpp"),
    ("config.hpp", "", None),
    ("io/long.hpp", "//\n" * 500, None),
]

with tempfile.TemporaryDirectory() as folder:
    root = pathlib.Path(folder)
    for name, text, _ in CASES:
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(HEAD + text + "\n", encoding="utf-8")
    (root / "io/naked.hpp").write_text("#pragma once\n", encoding="utf-8")
    problems, long_headers, _ = floors.check(root)

expected = [words for _, _, words in CASES if words] + ["licence line"]
unseen = [words for words in expected if not any(words in line for line in problems)]
surplus = [line for line in problems if not any(words in line for words in expected)]
print("\n".join(problems))
print("not found:", unseen, "\nfound too much:", surplus, "\nlong:", long_headers)
sys.exit(1 if unseen or surplus or len(problems) != len(expected) or len(long_headers) != 1 else 0)
