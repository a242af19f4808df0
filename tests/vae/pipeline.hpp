// SPDX-License-Identifier: MIT
#pragma once

// The whole way from rows to verdicts for a model, and what must hold of it whatever its likelihood and latent.

#include <cmath>

#include "support/catch.hpp"
#include "support/planted.hpp"
#include "untoward/metrics/ranking.hpp"
#include "untoward/scores/elbo.hpp"
#include "untoward/train/fit.hpp"

namespace untoward_test {

using namespace untoward;

inline FitOptions steps(Index number) {
    FitOptions options{.seed = 7};
    options.training.min_steps = options.training.max_steps = number;
    return options;
}

/// How well scores tell anomalies from normal rows.
template <class DetectorType>
double ranking(const DetectorType& detector, const Eigen::MatrixXf& normal,
               const Eigen::MatrixXf& anomalies) {
    Eigen::VectorXf scores(normal.cols() + anomalies.cols());
    scores << detector.score(normal), detector.score(anomalies);
    Eigen::VectorXi labels = Eigen::VectorXi::Zero(scores.size());
    labels.tail(anomalies.cols()).setOnes();
    REQUIRE(scores.allFinite());
    return auc_roc(scores, labels);
}

/// A verdict says the detector's score, blames every feature once, and expects something of each.
template <class DetectorType>
void check_verdicts(const DetectorType& detector, const Eigen::MatrixXf& rows) {
    for (Index j = 0; j < rows.cols(); ++j) {
        const auto verdict = detector(rows.col(j));
        REQUIRE(verdict.score == Approx(detector.score(rows.col(j))(0)).epsilon(1e-5).margin(1e-5));
        REQUIRE((verdict.p_value > 0 && verdict.p_value <= 1));
        Eigen::VectorXi seen = Eigen::VectorXi::Zero(rows.rows());
        for (const auto& c : verdict.contributions) {
            REQUIRE(std::isfinite(c.excess));
            REQUIRE(std::isfinite(c.expected));
            ++seen(c.feature);
        }
        REQUIRE((seen.array() == 1).all());
    }
    const auto nothing =
        detector(Eigen::VectorXf::Constant(rows.rows(), std::numeric_limits<float>::quiet_NaN()));
    REQUIRE(nothing.missing == rows.rows());
    REQUIRE(std::isfinite(nothing.score));
    for (const float value : {1e30f, -1e30f}) {
        const auto far = detector(Eigen::VectorXf::Constant(rows.rows(), value));
        REQUIRE(std::isfinite(far.score));
        REQUIRE(far.is_anomaly);
    }
}

}  // namespace untoward_test
