// SPDX-License-Identifier: MIT
// Diagnoses of detectors that were fitted: to two hidden factors, and with a KL term that
// smothers them.
#include "support/catch.hpp"
#include "support/planted.hpp"
#include "support/small_vae.hpp"
#include "untoward/scores/elbo.hpp"
#include "untoward/train/diagnostics.hpp"

using namespace untoward;
using Catch::Matchers::ContainsSubstring;
using untoward_test::correlated;
using untoward_test::quick;
using untoward_test::SmallVae;

TEST_CASE("diagnose: a fitted detector, in the data's unit") {
    const Eigen::MatrixXf rows = correlated(6, 3000, 1);
    const Eigen::MatrixXf later = correlated(6, 800, 2);
    const Recipe recipe{RobustScaler{}, SmallVae<>{}, KlDivergence{}, Conformal{.false_alarm_rate = 0.01}};
    auto options = quick(1500);
    const auto detector = fit(recipe, rows, options);
    const Diagnosis good = diagnose(detector, rows, later, {.rows = 300});
    for (const std::string& verdict : good.verdicts()) UNSCOPED_INFO(verdict);
    REQUIRE(good.latent.active_units >= 2);
    REQUIRE(good.information.mutual_information > 2);
    REQUIRE(good.information.mutual_information < good.information.kl + 0.1);
    REQUIRE(good.decoder.gain() > 5);
    REQUIRE(good.coverage.rows == 300);
    REQUIRE(good.coverage.coverage > 0.5);

    REQUIRE_FALSE(diagnose(detector, rows, Eigen::MatrixXf(6, 0)).coverage.held_out);

    options.training.beta = ConstantBeta{1000};
    const Diagnosis collapsed = diagnose(fit(recipe, rows, options), rows, later, {.rows = 300});
    REQUIRE(collapsed.latent.collapsed());
    REQUIRE(collapsed.information.mutual_information < 0.05);
    REQUIRE(collapsed.decoder.ignores_code());
    REQUIRE(collapsed.coverage.coverage < 0.5 * good.coverage.coverage);
    REQUIRE_THAT(collapsed.decoder.verdict(), ContainsSubstring("ignores z"));
}
