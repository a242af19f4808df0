// SPDX-License-Identifier: MIT
// The rules of mixtures keep the promises of support/property.hpp.
#include "support/property.hpp"
#include "untoward/distributions/mixture.hpp"

using namespace untoward;
using property::check_rule;

TEST_CASE("mixture: density, mean and choice") {
    check_rule(MixtureLogDensity{}, {}, Vec<3>{}, Vec<3>{});
    check_rule(MixtureLogDensity{}, {.batch = 1}, Vec<>(1), Vec<>(1));
    check_rule(MixtureMean{}, {}, Vec<3>{}, Vec<5>{}, Vec<5>{}, Vec<5>{});
    check_rule(MixtureMean{}, {.batch = 1}, Vec<>(1), Seq<>(3, 2));
    check_rule(Choose{}, {}, Vec<3>{}, Vec<1>{}, Vec<5>{}, Vec<5>{}, Vec<5>{});
    check_rule(Choose{}, {.batch = 5}, Vec<>(2), Vec<1>{}, Seq<>(3, 2), Seq<>(3, 2));
}
