// SPDX-License-Identifier: MIT
// Thresholds, scalers, scores and likelihoods of one detector go together freely.
#include <cmath>

#include "support/catch.hpp"
#include "support/planted.hpp"
#include "support/small_vae.hpp"
#include "untoward/detector.hpp"
#include "untoward/scores/elbo.hpp"
#include "untoward/thresholds/quantile.hpp"
#include "untoward/train/fit.hpp"

using namespace untoward;
using untoward_test::correlated;
using untoward_test::quick;
using untoward_test::SmallVae;

TEST_CASE("detector: a quantile threshold and a fixed variance") {
    const Eigen::MatrixXf rows = correlated(6, 1000, 1);
    const auto detector = fit(
        Recipe{RobustScaler{}, SmallVae<FixedGaussian>{}, NegativeElbo{.draws = 2}, Quantile{.level = 0.9}},
        rows, quick(200));
    REQUIRE(detector.threshold().calibration_rows() == 200);
    const auto split = calibration_split(Quantile{.level = 0.9}, 1000, 1);
    Eigen::VectorXf scores(200);
    for (Index j = 0; j < 200; ++j)
        scores(j) = detector.score(rows.col(split.calibration[static_cast<std::size_t>(j)]))(0);
    REQUIRE((scores.array() > detector.threshold().threshold()).count() == 20);
    REQUIRE(std::isnan(detector(rows.col(0)).p_value));
}
