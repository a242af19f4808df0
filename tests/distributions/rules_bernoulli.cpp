// SPDX-License-Identifier: MIT
// The rules of the Bernoulli distribution keep the promises of support/property.hpp.
#include "support/property.hpp"
#include "untoward/distributions/bernoulli.hpp"

using namespace untoward;
using property::check_rule;

TEST_CASE("Bernoulli: density, divergence and draw") {
    check_rule(BernoulliLogDensity{}, {}, Vec<5>{}, Vec<5>{});
    check_rule(BernoulliLogDensity{}, {.batch = 1}, Seq<1, 3>{}, Seq<1, 3>{});
    check_rule(BernoulliLogDensity{}, {.batch = 4, .low = -8, .high = 8}, Vec<>(3), Vec<1>{});
    check_rule(BernoulliKl{}, {}, Vec<3>{}, Vec<3>{});
    check_rule(BernoulliKl{}, {.batch = 1, .low = -20, .high = 20}, Vec<1>{}, Vec<5>{});
    check_rule(BernoulliDraw{}, {}, Vec<3>{}, Vec<3>{});
}
