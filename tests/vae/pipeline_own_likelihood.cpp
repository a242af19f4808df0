// SPDX-License-Identifier: MIT
#include "vae/own_likelihood.hpp"
#include "vae/pipeline.hpp"

using namespace untoward;
using namespace untoward_test;

namespace {

constexpr Index features = 6;

}  // namespace

TEST_CASE("a likelihood of a user's own: fit, scores, verdicts") {
    using Model = Vae<Vec<features>, Encoder<Dense<16, Relu>>, Latent<2>, Decoder<Dense<16, Relu>>,
                      own::LogNormalLikelihood>;
    const auto positive = [](Eigen::MatrixXf rows) {
        for (Index i = 0; i < features; ++i) {
            const auto angle = static_cast<float>(i);
            rows.row(i) = ((rows.row(i).array() - 10 * angle) / (1 + angle)).exp();
        }
        return rows;
    };
    const auto detector =
        fit(Recipe{IdentityScaler{}, Model{}, NegativeElbo{}, Conformal{.false_alarm_rate = 0.05}},
            positive(correlated(features, 3000, 1)), steps(1200));
    const Eigen::MatrixXf normal = positive(correlated(features, 300, 2));
    CHECK(ranking(detector, normal, positive(mirrored(features, 300, 3).rows)) > 0.95);
    check_verdicts(detector, normal.leftCols(5));
    for (const auto& c : detector(normal.col(0)).contributions) REQUIRE(c.expected > 0);
}
