#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Reference values for tests/metrics, from scikit-learn: writes metrics.hpp beside itself.

scikit-learn refuses infinities, so scores go to it as their ranks, which is all these metrics depend on.
Precision at k has no function there: it is the sum over anomalies of the chance of being among the first k, where a
row that shares its score with others is equally likely at each of their ranks.
"""
import math
import pathlib

import numpy as np
import sklearn
from sklearn.metrics import average_precision_score, confusion_matrix, f1_score, precision_recall_curve
from sklearn.metrics import precision_score, recall_score, roc_auc_score, roc_curve

INF = math.inf


def number(x):
    x = float(x)
    if math.isinf(x):
        return "infinity" if x > 0 else "-infinity"
    return repr(x)


def numbers(values):
    return "{" + ", ".join(number(x) for x in values) + "}"


def precision_at_k(scores, labels, k):
    first = (scores > scores[:, None]).sum(1) + 1
    last = (scores >= scores[:, None]).sum(1)
    chance = np.clip((k - first + 1) / (last - first + 1), 0, 1)
    return chance[labels != 0].sum() / k


def cases():
    random = np.random.default_rng(20240611)
    yield "no ties", random.normal(size=20).astype("f4"), random.integers(0, 2, 20)
    yield "ties", random.integers(0, 5, 31), random.integers(0, 2, 31)
    yield "ties within one class", [3, 3, 3, 2, 2, 1, 1], [1, 1, 1, 0, 0, 0, 0]
    yield "all scores equal", [2.5] * 9, [0, 1, 0, 0, 1, 0, 0, 0, 1]
    yield "infinities", [INF, 1, INF, -INF, 3, INF, 2, -INF, 0], [1, 0, 0, 0, 1, 1, 0, 1, 0]
    yield "one anomaly, in the middle", [5, 4, 3, 2, 1], [0, 0, 1, 0, 0]
    yield "one anomaly, tied at the top", [5, 5, 3, 2, 1], [0, 1, 0, 0, 0]
    yield "one normal row", [1, 2, 3], [1, 0, 1]
    yield "two rows", [1, 2], [0, 1]
    yield "the wrong way round", [1, 2, 3, 4, 5, 6], [1, 1, 0, 0, 0, 0]
    yield "perfect", [-1, -2, 7, 8, -3], [0, 0, 1, 1, 0]
    yield "rare", np.round(random.normal(size=63) * 4) / 4, np.arange(63) % 21 == 5


out = [
    f"// Written by tests/reference/metrics.py with scikit-learn {sklearn.__version__}. Do not edit.",
    "// SPDX-License-Identifier: MIT",
    "// clang-format off",
    "#pragma once",
    "",
    "#include <limits>",
    "#include <vector>",
    "",
    "namespace untoward::reference {",
    "",
    "inline constexpr double infinity = std::numeric_limits<double>::infinity();",
    "",
    "struct RankingCase {",
    "    const char* name;",
    "    std::vector<double> scores;",
    "    std::vector<int> labels;",
    "    double auc_roc, average_precision, precision_at_anomalies;",
    "    std::vector<double> precision_at;  // k = 1, 2, ..., rows",
    "    std::vector<double> false_alarm_rate, roc_recall;  // strictest first",
    "    std::vector<double> precision, recall;             // strictest first",
    "    double threshold;  // and what flagging the scores above it gives; f1 only where the rest is defined",
    "    int true_positives, false_positives, true_negatives, false_negatives;",
    "    double precision_at_threshold, recall_at_threshold, f1_at_threshold;  // 0 where nothing is flagged",
    "};",
    "",
    "inline const std::vector<RankingCase> rankings = {",
]
for name, scores, labels in cases():
    scores = np.asarray(scores, dtype=float)
    labels = np.asarray(labels, dtype=int)
    ranks = np.unique(scores, return_inverse=True)[1]
    rows, anomalies = len(scores), int(labels.sum())
    false_alarms, hits, _ = roc_curve(labels, ranks, drop_intermediate=False)
    precision, recall, _ = precision_recall_curve(labels, ranks)
    finite = scores[np.isfinite(scores)]
    threshold = float(np.sort(finite)[len(finite) // 2])
    flagged = (scores > threshold).astype(int)
    (tn, fp), (fn, tp) = confusion_matrix(labels, flagged, labels=[0, 1])
    out += [
        f'    {{"{name}",',
        f"     {numbers(scores)},",
        "     {" + ", ".join(str(x) for x in labels) + "},",
        f"     {number(roc_auc_score(labels, ranks))}, {number(average_precision_score(labels, ranks))}, "
        f"{number(precision_at_k(scores, labels, anomalies))},",
        f"     {numbers(precision_at_k(scores, labels, k) for k in range(1, rows + 1))},",
        f"     {numbers(false_alarms)},",
        f"     {numbers(hits)},",
        f"     {numbers(precision[::-1])},",
        f"     {numbers(recall[::-1])},",
        f"     {number(threshold)}, {tp}, {fp}, {tn}, {fn}, "
        f"{number(precision_score(labels, flagged, zero_division=0))}, {number(recall_score(labels, flagged))}, "
        f"{number(f1_score(labels, flagged, zero_division=0))}}},",
    ]
out += ["};", "", "}  // namespace untoward::reference", ""]
pathlib.Path(__file__).with_suffix(".hpp").write_text("\n".join(out))
