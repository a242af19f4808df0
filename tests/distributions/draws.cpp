// SPDX-License-Identifier: MIT
// Draws of whole distributions keep the promises of support/property.hpp: their gradients are those of the numbers
// that made them, under fixed noise.
#include "distributions/own.hpp"
#include "support/property.hpp"
#include "untoward/distributions/laplace.hpp"
#include "untoward/distributions/mixture.hpp"
#include "untoward/distributions/multivariate_normal.hpp"
#include "untoward/distributions/student_t.hpp"

using namespace untoward;
using property::check_function;

TEST_CASE("draws are reparameterised") {
    check_function(
        [](auto& s, const auto& m, const auto& l) {
            return distributions::sample(s, distributions::Laplace{m, l});
        },
        {}, Vec<3>{}, Vec<1>{});
    check_function(
        [](auto& s, const auto& m, const auto& l) {
            return distributions::sample(s, distributions::StudentT{m, l, 4.0});
        },
        {.batch = 1}, Seq<>(1, 3), Seq<>(1, 3));
    check_function(
        [](auto& s, const auto& m, const auto& f) {
            return distributions::sample(s, distributions::MultivariateNormal{m, f});
        },
        {}, Vec<3>{}, Vec<6>{});
}

TEST_CASE("a mixture with a component of a user's own: density, draw and expectation") {
    check_function(
        [](auto& s, const auto& x, const auto& logits, const auto& m, const auto& l) {
            const distributions::Mixture mixture(logits, distributions::Normal{m, l}, own::Bell{m, 0.7});
            const auto density = distributions::log_density(s, mixture, x);
            const auto draw = distributions::sample(s, mixture);
            return std::tuple(density, draw);
        },
        {}, Vec<3>{}, Vec<2>{}, Vec<3>{}, Vec<3>{});
}

TEST_CASE("KL by Monte Carlo has the gradient of its draws") {
    check_function(
        [](auto& s, const auto& m, const auto& l, const auto& n) {
            return distributions::kl_monte_carlo(s, distributions::Normal{m, l}, own::Bell{n, 0.7}, 3);
        },
        {}, Vec<3>{}, Vec<3>{}, Vec<3>{});
}
