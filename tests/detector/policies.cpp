// SPDX-License-Identifier: MIT
// Thresholds, scalers, scores and likelihoods of one detector go together freely.
#include <cmath>

#include "support/catch.hpp"
#include "support/planted.hpp"
#include "untoward/detector.hpp"
#include "untoward/scores/elbo.hpp"
#include "untoward/thresholds/quantile.hpp"
#include "untoward/train/fit.hpp"

using namespace untoward;
using untoward_test::correlated;

namespace {

constexpr Index features = 6;
using Model = Vae<Vec<features>, Encoder<Dense<12, Tanh>>, Latent<3>, Decoder<Dense<12, Tanh>>, Gaussian>;

FitOptions quick(Index steps) {
    FitOptions options{.seed = 1};
    options.training.min_steps = options.training.max_steps = steps;
    return options;
}

}  // namespace

TEST_CASE("detector: a quantile threshold and a fixed variance") {
    using Plain =
        Vae<Vec<features>, Encoder<Dense<12, Tanh>>, Latent<3>, Decoder<Dense<12, Tanh>>, FixedGaussian>;
    const Eigen::MatrixXf rows = correlated(features, 1000, 1);
    const auto detector = fit(
        Recipe{RobustScaler{}, Plain{}, NegativeElbo{.draws = 2}, Quantile{.level = 0.9}}, rows, quick(200));
    REQUIRE(detector.threshold().calibration_rows() == 200);
    const auto split = calibration_split(Quantile{.level = 0.9}, 1000, 1);
    Eigen::VectorXf scores(200);
    for (Index j = 0; j < 200; ++j)
        scores(j) = detector.score(rows.col(split.calibration[static_cast<std::size_t>(j)]))(0);
    REQUIRE((scores.array() > detector.threshold().threshold()).count() == 20);
    REQUIRE(std::isnan(detector(rows.col(0)).p_value));
}
