// SPDX-License-Identifier: MIT
#include "untoward/train/fit.hpp"

#include "support/catch.hpp"
#include "support/planted.hpp"
#include "support/small_vae.hpp"
#include "untoward/scores/elbo.hpp"

using namespace untoward;
using Catch::Matchers::ContainsSubstring;
using untoward_test::correlated;
using untoward_test::quick;
using untoward_test::SmallVae;

TEST_CASE("fit report: sizes, constant features, and latent units that do something") {
    Eigen::MatrixXf rows = correlated(6, 3000, 1);
    rows.row(4).setConstant(3);
    const Recipe recipe{RobustScaler{}, SmallVae<>{}, KlDivergence{}, Conformal{.false_alarm_rate = 0.01}};
    FitReport report;
    fit(recipe, rows, quick(800), &report);
    REQUIRE(report.rows == 3000);
    REQUIRE(report.calibration_rows == 600);
    REQUIRE(report.held_out_rows == 240);
    REQUIRE(report.training_rows == 2160);
    REQUIRE(report.parameters == measure(SmallVae<>{}, Vec<6>{}).scalars);
    REQUIRE(report.constant_features == std::vector<Index>{4});
    REQUIRE(report.training.steps <= 800);
    REQUIRE(report.latent.units() == 3);
    REQUIRE(report.latent.active_units >= 2);  // the data has two factors
    REQUIRE_FALSE(report.latent.collapsed());
    REQUIRE_THAT(report.latent.verdict(), ContainsSubstring(" of 3 latent units active"));
    for (std::size_t k = 0; k < 3; ++k) {
        REQUIRE(report.latent.kl_per_unit[k] >= 0);
        // A unit's mean moves exactly where it carries information.
        REQUIRE((report.latent.variance_of_mean[k] > 0.01) == (report.latent.kl_per_unit[k] > 0.005));
    }

    auto options = quick(800);
    options.training.beta = ConstantBeta{1000};
    fit(recipe, rows, options, &report);
    REQUIRE(report.latent.active_units == 0);
    REQUIRE(report.latent.collapsed());
    REQUIRE_THAT(report.latent.verdict(),
                 ContainsSubstring("0 of 3 latent units active: the posterior has collapsed"));

    // Epochs: 2160 rows in batches of 128 are 17 steps a pass.
    options = quick(5);
    options.epochs = 2;
    fit(recipe, rows, options, &report);
    REQUIRE(report.training.steps == 34);
}
