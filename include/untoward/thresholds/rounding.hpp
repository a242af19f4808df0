// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "quantile.hpp"

namespace untoward UNTOWARD_SETTING {

/// Scores of a model to calibrate with, each raised by what rounding may make of it: another batch, another kernel and
/// another processor add the same numbers in another order. Of rows that repeat each other, as those of quantised
/// sensors and coded categories do, all are then decided alike, on every device, where theirs is the threshold. `fit`
/// does so; for scores that a program computes itself:
///
///     detector.set_threshold(Conformal{}.calibrate(raised_for_rounding(detector.score(rows))));
///
/// Where s is finite it becomes s + 128 epsilon max(|s|, unit): unit is one, in which scores are measured (scaled
/// features, nats), or less, the interquartile range, where scores lie closer together than 1/128. The order is kept,
/// and so is a promised rate: thresholds are only higher. NaN stays.
template <class Derived>
OwnedScores<Derived> raised_for_rounding(const Eigen::DenseBase<Derived>& scores) {
    using Scalar = typename Derived::Scalar;
    constexpr Scalar rounding = 128 * std::numeric_limits<Scalar>::epsilon();
    OwnedScores<Derived> raised = scores.derived().matrix();
    if (raised.size() == 0) return raised;
    const OwnedScores<Derived> sorted = sorted_scores(scores);
    const Scalar range = quantile_of_sorted(sorted, 0.75) - quantile_of_sorted(sorted, 0.25);
    const Scalar unit = range > 0 && range < Scalar(0x1p-7) ? range : Scalar(1);
    for (Scalar& score : raised) {
        if (std::isfinite(score)) score += rounding * (std::max)(std::abs(score), unit);
    }
    return raised;
}

}  // namespace untoward
