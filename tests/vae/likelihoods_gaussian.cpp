// SPDX-License-Identifier: MIT
#include "untoward/vae/gaussian.hpp"

#include "vae/all_of_likelihood.hpp"

using namespace untoward;
using untoward_test::check_likelihood;

TEST_CASE("Gaussian likelihoods") {
    check_likelihood<Gaussian>();
    check_likelihood<HeteroscedasticGaussian>({.batch = 1});
}
