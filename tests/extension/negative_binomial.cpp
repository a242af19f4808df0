// SPDX-License-Identifier: MIT
// The likelihood alone: gradients, and all that is promised of a likelihood.
#include "extension/negative_binomial.hpp"

#include "vae/all_of_likelihood.hpp"

using namespace untoward;
using extension::NegativeBinomial;

TEST_CASE("negative binomial: the library's promises") {
    untoward_test::check_likelihood<NegativeBinomial>({.low = 0.1, .high = 9});
}

TEST_CASE("negative binomial: its gradient, below zero too") {
    const auto error = check_gradient_of_rule(extension::NegativeBinomialLogDensity{}, {.batch = 7}, Vec<3>{},
                                              Vec<3>{}, Vec<3>{});
    INFO(error.where << " [" << error.index << "]: " << error.backward << ", should be " << error.difference);
    CHECK(error.relative < 1e-8);
}
