// SPDX-License-Identifier: MIT
#include "untoward/vae/bernoulli.hpp"
#include "untoward/vae/categorical.hpp"
#include "untoward/vae/poisson.hpp"
#include "vae/reference_head.hpp"

using namespace untoward;
using namespace untoward::reference;

TEST_CASE("heads of classes and counts: PyTorch") {
    UNTOWARD_TEST_HEAD(Bernoulli, head_bernoulli);
    UNTOWARD_TEST_HEAD(Categorical, head_categorical);
    UNTOWARD_TEST_HEAD(Poisson, head_poisson);
}
