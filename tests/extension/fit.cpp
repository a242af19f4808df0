// SPDX-License-Identifier: MIT
// A detector of a layer, a likelihood and a schedule that the library does not have.
#include "extension/counts.hpp"
#include "vae/pipeline.hpp"

using namespace untoward;
using namespace extension_test;

TEST_CASE("parts of a user's own: fit, scores, verdicts") {
    const Recipe recipe{IdentityScaler{}, CountVae{}, NegativeElbo{}, Conformal{.false_alarm_rate = 0.05}};
    const auto detector = fit(recipe, normal_counts(3000, 1), one_cycle_of(1200));
    const Eigen::MatrixXf normal = normal_counts(400, 2);
    CHECK(untoward_test::ranking(detector, normal, unusual_counts(400, 3)) > 0.8);
    untoward_test::check_verdicts(detector, normal.leftCols(5));
    for (const auto& c : detector(normal.col(0)).contributions) CHECK(c.expected > 0);
}
