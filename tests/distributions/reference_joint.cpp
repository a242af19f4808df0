// SPDX-License-Identifier: MIT
// Densities of whole samples against torch.distributions (tests/reference/distributions.py).
#include "reference/distributions.hpp"
#include "support/torch_inputs.hpp"
#include "untoward/distributions/categorical.hpp"
#include "untoward/distributions/multivariate_normal.hpp"

using namespace untoward;
using namespace untoward::reference;
using torch::check_both;
using torch::Input;

TEST_CASE("categorical: torch") {
    const Vec<4> classes;
    check_both(
        [](auto& s, const auto& x, const auto& l) { return distributions::Categorical{l}.log_density(s, x); },
        {categorical_y, categorical_upstream}, Input{classes, categorical_x, categorical_dx},
        Input{classes, categorical_logits, categorical_dlogits});
    check_both(
        [](auto& s, const auto& p, const auto& q) {
            return distributions::kl(s, distributions::Categorical{p}, distributions::Categorical{q});
        },
        {categorical_kl_y, categorical_kl_upstream}, Input{classes, categorical_kl_p, categorical_kl_dp},
        Input{classes, categorical_kl_q, categorical_kl_dq});
    // Three positions of one sample are three samples.
    check_both(
        [](auto& s, const auto& x, const auto& l) { return distributions::Categorical{l}.log_density(s, x); },
        {categorical_y, categorical_upstream}, Input{Seq<>(4, 3), categorical_x, categorical_dx},
        Input{Seq<>(4, 3), categorical_logits, categorical_dlogits});
}

TEST_CASE("multivariate normal: torch") {
    const Vec<3> k;
    const Vec<6> packed;
    check_both(
        [](auto& s, const auto& x, const auto& m, const auto& f) {
            return distributions::MultivariateNormal{m, f}.log_density(s, x);
        },
        {multivariate_y, multivariate_upstream}, Input{k, multivariate_x, multivariate_dx},
        Input{k, multivariate_mean, multivariate_dmean},
        Input{packed, multivariate_factor, multivariate_dfactor});
    check_both(
        [](auto& s, const auto& m, const auto& l, const auto& n, const auto& p) {
            return distributions::kl(s, distributions::MultivariateNormal{m, l},
                                     distributions::MultivariateNormal{n, p});
        },
        {multivariate_kl_y, multivariate_kl_upstream}, Input{k, multivariate_kl_m, multivariate_kl_dm},
        Input{packed, multivariate_kl_l, multivariate_kl_dl}, Input{k, multivariate_kl_n, multivariate_kl_dn},
        Input{packed, multivariate_kl_p, multivariate_kl_dp});
    check_both(
        [](auto& s, const auto& m, const auto& f) {
            return distributions::kl(s, distributions::MultivariateNormal{m, f},
                                     distributions::StandardNormal{});
        },
        {multivariate_standard_kl_y, multivariate_standard_kl_upstream},
        Input{k, multivariate_standard_kl_m, multivariate_standard_kl_dm},
        Input{packed, multivariate_standard_kl_f, multivariate_standard_kl_df});
}
