// SPDX-License-Identifier: MIT
// Thresholds, scalers, scores and likelihoods of one detector go together freely.
#include <cmath>
#include <type_traits>

#include "support/catch.hpp"
#include "support/planted.hpp"
#include "support/small_vae.hpp"
#include "untoward/detector.hpp"
#include "untoward/scores/elbo.hpp"
#include "untoward/scores/reconstruction.hpp"
#include "untoward/thresholds/fixed.hpp"
#include "untoward/train/fit.hpp"

using namespace untoward;
using untoward_test::correlated;
using untoward_test::quick;
using untoward_test::SmallVae;

TEST_CASE("detector: a fixed threshold, a standard scaler and a weighted sum, in double") {
    const Eigen::MatrixXd rows = correlated(6, 200, 1).cast<double>();
    const Recipe recipe{StandardScaler{}, SmallVae<>{}, ReconstructionError{} + 0.1f * KlDivergence{},
                        Fixed{20}};
    const auto detector = fit(recipe, rows, quick(100));
    static_assert(std::is_same_v<std::remove_const_t<decltype(detector)>::Scalar, double>);
    REQUIRE(detector.threshold().threshold() == 20);
    REQUIRE(detector.threshold().is_calibrated());
    const auto verdict = detector(rows.col(0));
    static_assert(std::is_same_v<decltype(verdict.score), double>);
    REQUIRE(std::isnan(verdict.p_value));
    REQUIRE(verdict.is_anomaly == (verdict.score > 20));
    REQUIRE(detector(Eigen::VectorXd(rows.col(0) * 100)).is_anomaly);
}
