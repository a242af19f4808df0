// SPDX-License-Identifier: MIT
#include "untoward/vae/gaussian.hpp"
#include "untoward/vae/laplace.hpp"
#include "untoward/vae/student_t.hpp"
#include "vae/reference_head.hpp"

using namespace untoward;
using namespace untoward::reference;

TEST_CASE("heads with a learned scale: PyTorch") {
    UNTOWARD_TEST_HEAD(Laplace, head_laplace, {head_laplace_scale, head_laplace_dscale});
    UNTOWARD_TEST_HEAD(StudentT, head_student_t, {head_student_t_scale, head_student_t_dscale});
    // Outside of its range a scale has no gradient.
    REQUIRE(head_laplace_dscale[0] == 0);
    REQUIRE(head_laplace_dscale[1] == 0);
    REQUIRE(head_laplace_dscale[2] != 0);
}

TEST_CASE("a Gaussian head with a decoded variance: PyTorch") {
    UNTOWARD_TEST_HEAD(HeteroscedasticGaussian, head_heteroscedastic,
                       {head_heteroscedastic_variance_weight, head_heteroscedastic_dvariance_weight},
                       {head_heteroscedastic_variance_bias, head_heteroscedastic_dvariance_bias});
}
