// SPDX-License-Identifier: MIT
// The rules of the Poisson distribution keep the promises of support/property.hpp.
#include "support/property.hpp"
#include "untoward/distributions/poisson.hpp"

using namespace untoward;
using property::check_rule;

TEST_CASE("Poisson: density and divergence") {
    check_rule(PoissonLogDensity{}, {}, Vec<5>{}, Vec<5>{});
    check_rule(PoissonLogDensity{}, {.batch = 1, .low = 0, .high = 4}, Seq<1, 3>{}, Seq<1, 3>{});
    check_rule(PoissonKl{}, {}, Vec<3>{}, Vec<3>{});
    check_rule(PoissonKl{}, {.batch = 1}, Vec<1>{}, Vec<>(5));
}
