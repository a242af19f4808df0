// SPDX-License-Identifier: MIT
#include "vae/pipeline.hpp"

using namespace untoward;
using namespace untoward_test;

TEST_CASE("a plain autoencoder by the same classes: fit, scores, verdicts and the latent report") {
    constexpr Index features = 8;
    using Model =
        Vae<Vec<features>, Encoder<Dense<16, Relu>>, Code<2>, Decoder<Dense<16, Relu>>, FixedGaussian>;
    FitReport report;
    const auto detector =
        fit(Recipe{RobustScaler{}, Model{}, NegativeElbo{}, Conformal{.false_alarm_rate = 0.05}},
            correlated(features, 3000, 1), steps(1000), &report);
    CHECK(ranking(detector, correlated(features, 300, 2), mirrored(features, 300, 3).rows) > 0.97);
    check_verdicts(detector, correlated(features, 5, 4));
    REQUIRE(report.latent.units() == 2);
    REQUIRE(report.latent.active_units == 2);
    for (const double kl : report.latent.kl_per_unit) REQUIRE(kl == 0);
    // One draw is all draws: the score is minus the log density at the code, to the bit.
    const auto again = fit(Recipe{RobustScaler{}, Model{}, NegativeElbo{.draws = 1, .seed = 3},
                                  Conformal{.false_alarm_rate = 0.05}},
                           correlated(features, 3000, 1), steps(1000));
    const Eigen::MatrixXf rows = correlated(features, 20, 5);
    REQUIRE(again.score(rows) == detector.score(rows));
}
