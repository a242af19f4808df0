// SPDX-License-Identifier: MIT
// The rules of the multivariate normal distribution keep the promises of support/property.hpp.
#include "support/property.hpp"
#include "untoward/distributions/multivariate_normal.hpp"

using namespace untoward;
using property::check_rule;

TEST_CASE("multivariate normal: density, divergences, draw and variances") {
    check_rule(MultivariateNormalLogDensity{}, {}, Vec<3>{}, Vec<3>{}, Vec<6>{});
    check_rule(MultivariateNormalLogDensity{}, {.batch = 1}, Vec<>(1), Vec<>(1), Vec<>(1));
    check_rule(CorrelateNoise{}, {}, Vec<3>{}, Vec<6>{}, Vec<3>{});
    check_rule(CorrelateNoise{}, {.batch = 1}, Vec<>(1), Vec<>(1), Vec<>(1));
    check_rule(MultivariateNormalKl{}, {}, Vec<3>{}, Vec<6>{});
    check_rule(MultivariateNormalKl{}, {.batch = 1}, Vec<>(1), Vec<>(1));
    check_rule(MultivariateNormalPairKl{}, {}, Vec<3>{}, Vec<6>{}, Vec<3>{}, Vec<6>{});
    check_rule(MultivariateNormalPairKl{}, {.batch = 1}, Vec<>(1), Vec<>(1), Vec<>(1), Vec<>(1));
    check_rule(MarginalLogVariance<3>{}, {}, Vec<6>{});
    check_rule(MarginalLogVariance<Dynamic>{Vec<>(1)}, {.batch = 1}, Vec<>(1));
}
