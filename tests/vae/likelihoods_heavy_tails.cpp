// SPDX-License-Identifier: MIT
#include "untoward/vae/laplace.hpp"
#include "untoward/vae/student_t.hpp"

#include "vae/all_of_likelihood.hpp"

using namespace untoward;
using untoward_test::check_likelihood;

TEST_CASE("likelihoods with heavy tails") {
    check_likelihood<StudentT>();
    check_likelihood<Laplace>({.batch = 2});
}
