#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Reference values for tests/statistics, from scikit-learn: writes statistics.hpp beside itself.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 tests/reference/statistics.py

Data are multiples of 1/1024, one sample after another; results are in double.
"""
import pathlib

import numpy as np
import sklearn
from sklearn.covariance import LedoitWolf
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import NearestNeighbors

random = np.random.default_rng(20250117)
out = [
    f"// Written by tests/reference/statistics.py with scikit-learn {sklearn.__version__}. Do not edit.",
    "// SPDX-License-Identifier: MIT",
    "// clang-format off",
    "#pragma once",
    "",
    "#include <vector>",
    "",
    "namespace untoward::reference {",
]


def grid(x):
    return np.round(np.asarray(x, dtype=float) * 1024) / 1024


def numbers(x):
    return "{" + ", ".join(repr(float(v)) for v in np.ravel(x)) + "}"


def array(name, x):
    out.append(f"inline const std::vector<double> {name} = {numbers(x)};")


def mixed(n, d, scale):
    """Correlated columns of different scales, off the origin."""
    return grid(random.normal(size=(n, d)) @ random.normal(size=(d, d)) * scale + 3)


out += ["", "// Ledoit and Wolf: rows x features, what LedoitWolf finds, and mahalanobis() of the queries.",
        "struct CovarianceCase {", "    int rows, features;", "    std::vector<double> data;", "    double shrinkage;",
        "    std::vector<double> location, covariance, queries, squared_distances;", "};",
        "inline const std::vector<CovarianceCase> covariances = {"]
for n, d, scale in [(40, 5, 1.0), (6, 9, 2.0), (30, 1, 1.0), (60, 3, np.array([30.0, 1.0, 0.25])), (2, 3, 1.0)]:
    x = mixed(n, d, scale)
    queries = grid(x.mean(0) + random.normal(size=(4, d)) * 3)
    fitted = LedoitWolf().fit(x)
    out.append(f"    {{{n}, {d}, {numbers(x)}, {fitted.shrinkage_!r}, {numbers(fitted.location_)}, "
               f"{numbers(fitted.covariance_)}, {numbers(queries)}, {numbers(fitted.mahalanobis(queries))}}},")
out += ["};"]

out += ["", "// 60 rows of 4 features, 7 queries: distances to the first five neighbours of each query, and those of each",
        "// row among the others."]
x = mixed(60, 4, 1.0)
x[17] = x[3]
queries = np.vstack([x[5], x[3], mixed(5, 4, 1.5)])
neighbours = NearestNeighbors(n_neighbors=5, algorithm="brute").fit(x)
array("neighbours_rows", x)
array("neighbours_queries", queries)
array("neighbours_distances", neighbours.kneighbors(queries)[0])
array("neighbours_among_others", neighbours.kneighbors()[0])

# Three clusters, 150 rows of 3 features.
centres = np.array([[0, 0, 0], [4, 1, -2], [-3, 4, 2]])
x = grid(np.vstack([c + random.normal(size=(50, 3)) @ random.normal(size=(3, 3)) * 0.8 for c in centres]))
queries = grid(np.vstack([x[:3], random.normal(size=(4, 3)) * 4, [[60, -50, 40]]]))
out += ["", "// A mixture of three over 3 features: weights, means, covariances; -log p of the queries under it, the mean",
        "// log-likelihood and the BIC of 150 rows. EM from there without a floor, full and diagonal, until nothing moves."]
array("mixture_rows", x)
array("mixture_queries", queries)
start_means = grid(centres + 0.5)
start_weights = np.array([0.25, 0.25, 0.5])
start_full = np.stack([np.array([[2, 0.5, 0], [0.5, 1, -0.25], [0, -0.25, 3]]), np.eye(3), np.diag([4, 1, 0.5])])
array("mixture_weights", start_weights)
array("mixture_means", start_means)
array("mixture_full", start_full)
array("mixture_diagonal", np.stack([np.diagonal(c) for c in start_full]))
for kind in ("full", "diag"):
    precisions = np.linalg.inv(start_full) if kind == "full" else 1 / np.stack([np.diagonal(c) for c in start_full])
    options = dict(covariance_type=kind, weights_init=start_weights, means_init=start_means, precisions_init=precisions)
    given = GaussianMixture(3, **options, max_iter=1, reg_covar=0)
    given._initialize_parameters(x, np.random.RandomState(0))
    given._initialize(x, np.full((150, 3), 1 / 3))
    array(f"mixture_{kind}_scores", -given.score_samples(queries))
    array(f"mixture_{kind}_mean_and_bic", [given.score(x), given.bic(x)])
    best = GaussianMixture(3, **options, max_iter=5000, tol=1e-13, reg_covar=0).fit(x)
    array(f"mixture_{kind}_fitted_scores", -best.score_samples(queries))
    array(f"mixture_{kind}_fitted_means", best.means_)
    array(f"mixture_{kind}_fitted_mean_and_bic", [best.score(x), best.bic(x)])

out += ["", "// Principal components of 50 rows of 6 features that keep more than 90% of the variance: how many, squared",
        "// errors of the queries, and the sum of their squared scores over variances (1 / n) of all 6; then 5 rows."]
for name, n in (("tall", 50), ("wide", 5)):
    x = mixed(n, 6, np.array([4, 2, 1, 1, 0.5, 0.25]))
    queries = mixed(5, 6, 2.0)
    kept = PCA(0.9, svd_solver="full").fit(x)
    error = ((queries - kept.inverse_transform(kept.transform(queries))) ** 2).sum(1)
    array(f"components_{name}_rows", x)
    array(f"components_{name}_queries", queries)
    out.append(f"inline constexpr int components_{name}_kept = {kept.n_components_};")
    array(f"components_{name}_errors", error)
    if name == "tall":
        full = PCA(svd_solver="full").fit(x)
        variances = full.explained_variance_ * (n - 1) / n
        array(f"components_{name}_standardised", (full.transform(queries) ** 2 / variances).sum(1))

out += ["", "}  // namespace untoward::reference", ""]
pathlib.Path(__file__).with_suffix(".hpp").write_text("\n".join(out))
