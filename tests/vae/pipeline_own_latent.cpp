// SPDX-License-Identifier: MIT
#include "untoward/generate.hpp"
#include "vae/own_latent.hpp"
#include "vae/pipeline.hpp"

using namespace untoward;
using namespace untoward_test;

TEST_CASE("a latent of a user's own: fit, scores, verdicts and the latent report") {
    constexpr Index features = 8;
    using Model = Vae<Vec<features>, Encoder<Dense<16, Relu>>, own::LaplaceLatent<3>,
                      Decoder<Dense<16, Relu>>, Gaussian>;
    FitReport report;
    const auto detector =
        fit(Recipe{RobustScaler{}, Model{}, NegativeElbo{}, Conformal{.false_alarm_rate = 0.05}},
            correlated(features, 3000, 1), steps(1200), &report);
    CHECK(ranking(detector, correlated(features, 300, 2), mirrored(features, 300, 3).rows) > 0.97);
    check_verdicts(detector, correlated(features, 5, 4));
    REQUIRE(report.latent.units() == 3);
    REQUIRE(report.latent.active_units >= 2);
    for (const double kl : report.latent.kl_per_unit) REQUIRE(kl >= 0);
    const auto generated = generate(detector, 200, 3);
    REQUIRE(generated.allFinite());
    REQUIRE((generated.rowwise().maxCoeff() - generated.rowwise().minCoeff()).minCoeff() > 0.5f);
}
