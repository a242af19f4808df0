// SPDX-License-Identifier: MIT
#include "untoward/vae/bernoulli.hpp"
#include "untoward/vae/categorical.hpp"
#include "untoward/vae/poisson.hpp"

#include "vae/all_of_likelihood.hpp"

using namespace untoward;
using untoward_test::check_likelihood;

TEST_CASE("likelihoods of classes and counts") {
    check_likelihood<Bernoulli>({.batch = 2});
    check_likelihood<Categorical>();
    check_likelihood<Poisson>();
}
