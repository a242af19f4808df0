// SPDX-License-Identifier: MIT
// The rules of the Laplace distribution keep the promises of support/property.hpp.
#include "support/property.hpp"
#include "untoward/distributions/laplace.hpp"

using namespace untoward;
using property::check_rule;

TEST_CASE("Laplace: density, divergence and draw") {
    check_rule(LaplaceLogDensity{}, {}, Vec<5>{}, Vec<5>{}, Vec<1>{});
    check_rule(LaplaceLogDensity{}, {.batch = 1}, Seq<3, 1>{}, Seq<3, 1>{}, Seq<3, 1>{});
    check_rule(LaplaceKl{}, {}, Vec<3>{}, Vec<3>{}, Vec<3>{}, Vec<3>{});
    check_rule(LaplaceKl{}, {.batch = 1}, Vec<>(3), Vec<1>{}, Vec<>(3), Vec<1>{});
    check_rule(detail::LocationScale{}, {}, Vec<3>{}, Vec<1>{}, Vec<3>{});
    check_rule(LaplaceNoise{}, {.low = 0.02, .high = 0.98}, Vec<5>{});
    check_rule(detail::LocationScale{}, {.batch = 1}, Vec<>(1), Vec<>(1), Vec<>(1));
}
