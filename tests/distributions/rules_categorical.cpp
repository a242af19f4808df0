// SPDX-License-Identifier: MIT
// The rules of the categorical distribution keep the promises of support/property.hpp.
#include "support/property.hpp"
#include "untoward/distributions/categorical.hpp"

using namespace untoward;
using property::check_rule;

TEST_CASE("categorical: density and divergence") {
    check_rule(CategoricalLogDensity{}, {}, Vec<5>{}, Vec<5>{});
    check_rule(CategoricalLogDensity{}, {.batch = 1, .low = 0, .high = 1}, Seq<3, 3>{}, Seq<3, 3>{});
    check_rule(CategoricalLogDensity{}, {}, Image<>(2, 1, 3), Image<>(2, 1, 3));
    check_rule(CategoricalKl{}, {}, Seq<3, 5>{}, Seq<3, 5>{});
    check_rule(CategoricalKl{}, {.batch = 1}, Vec<>(4), Vec<>(4));
    check_rule(CategoricalKl{}, {}, Vec<1>{}, Vec<1>{});
}
