#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Reference values for tests/thresholds, from NumPy and SciPy: writes thresholds.hpp beside itself."""
import math
import pathlib
from fractions import Fraction

import numpy as np
import scipy
from scipy.stats import betabinom


def number(x):
    x = float(x)
    if math.isinf(x):
        return "inf" if x > 0 else "-inf"
    return repr(x) if x != int(x) or abs(x) > 1e15 else f"{int(x)}.0"


def wrapped(items):
    lines, line = [], "   "
    for item in items:
        if len(line) + len(item) > 105:
            lines.append(line)
            line = "   "
        line += " " + item
    return "\n".join(lines + [line])


out = [
    "// SPDX-License-Identifier: MIT",
    f"// Written by tests/reference/thresholds.py with NumPy {np.__version__}, SciPy {scipy.__version__}. Do not edit.",
    "// clang-format off",
    "#pragma once",
    "",
    "namespace untoward::reference {",
    "",
    "struct BetaBinomialCase {",
    "    double m, a, b, i, pmf, cdf;",
    "};",
    "inline constexpr BetaBinomialCase beta_binomial[] = {",
]
cases = []
for m, a, b, i in [(1, 1, 1, 0), (10, 1, 99, 0), (10, 1, 99, 3), (100, 5, 95, 5), (1000, 10, 990, 12), (20000, 100, 9900, 170)]:
    law = betabinom(m, a, b)
    cases.append("{" + ", ".join(number(x) for x in (m, a, b, i, law.pmf(i), law.cdf(i))) + "},")
out += [wrapped(cases), "};", ""]

out += [
    "// The central 99.9% of false alarms among m normal rows, n calibration rows.",
    "struct IntervalCase {",
    "    int m, n;",
    "    double rate;",
    "    int low, high;",
    "};",
    "inline constexpr IntervalCase intervals[] = {",
]
cases = []
for m, n, rate in [(1000, 99, "0.01"), (1000, 999, "0.01"), (5000, 400, "0.05"), (20000, 9000, "0.01"), (45586 // 2, 9117, "0.1"), (3, 99, "0.01")]:
    above = math.floor((n + 1) * Fraction(rate))
    law = betabinom(m, above, n + 1 - above)
    counts = np.arange(m + 1)
    tail = (1 - 0.999) / 2
    low = int(counts[law.cdf(counts) > tail][0])
    high = int(counts[law.sf(counts - 1) > tail][-1])
    cases.append(f"{{{m}, {n}, {rate}, {low}, {high}}},")
out += [wrapped(cases), "};", ""]

out += [
    "struct QuantileCase {",
    "    int n;",
    "    double scores[9], level, value;",
    "};",
    "inline constexpr QuantileCase quantiles[] = {",
]
cases = []
random = np.random.default_rng(1)
for n in (1, 2, 5, 9):
    scores = random.normal(size=n).round(3)
    for level in (0.0, 0.25, 0.5, 0.9, 0.95, 0.99, 1.0):
        values = ", ".join(number(x) for x in scores)
        cases.append(f"{{{n}, {{{values}}}, {level}, {number(np.quantile(scores, level))}}},")
out += [wrapped(cases), "};", "", "}  // namespace untoward::reference", ""]
pathlib.Path(__file__).with_suffix(".hpp").write_text("\n".join(out))
